import { z } from 'zod';
import { lookUp } from '../look-up.ts';
import { byteCharacters } from './byte-characters.ts';
import { compilePattern, type Part, partsOf, pattern } from './regex.ts';

/** @file How a text is cut before the vocabulary is looked at, as Python's `tokenizers` cuts it. */

/** A part of the text; `first` where it stands at the very beginning. */
export type Piece = { readonly text: string; readonly first: boolean };

export type PreTokenizer = (pieces: readonly Piece[]) => Piece[];

const behavior = z.enum(['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']);
type Behavior = z.output<typeof behavior>;

/** Cuts each piece into others; the first of the first piece stays first if nothing before it was dropped. */
const cutting =
  (cut: (text: string) => readonly (string | undefined)[]): PreTokenizer =>
  (pieces) =>
    pieces.flatMap(({ text, first }) =>
      cut(text).flatMap((part, at) =>
        part === undefined || part === '' ? [] : [{ text: part, first: first && at === 0 }],
      ),
    );

const splitting = (expression: RegExp, how: Behavior, invert = false): PreTokenizer =>
  cutting((text) => {
    const parts = partsOf(text, expression);
    return JOINED[how](invert ? parts.map((part) => ({ ...part, matched: !part.matched })) : parts);
  });

/** What becomes of matches; `undefined` stands for one that is dropped. */
const JOINED: Readonly<Record<Behavior, (parts: readonly Part[]) => (string | undefined)[]>> = {
  Removed: (parts) => parts.map(({ text, matched }) => (matched ? undefined : text)),
  Isolated: (parts) => parts.map(({ text }) => text),
  Contiguous: (parts) => joinedIf(parts, (part, before) => part.matched === before.matched),
  MergedWithPrevious: (parts) => joinedIf(parts, (part, before) => part.matched && !before.matched),
  MergedWithNext: (parts) => joinedIf(parts, (part, before) => !part.matched && before.matched),
};

function joinedIf(parts: readonly Part[], joins: (part: Part, before: Part) => boolean): string[] {
  const joined: string[] = [];
  for (const [at, part] of parts.entries()) {
    const before = parts[at - 1];
    if (before !== undefined && joins(part, before)) joined.push((joined.pop() ?? '') + part.text);
    else joined.push(part.text);
  }
  return joined;
}

const SPACE = /\p{White_Space}/gu;
const PUNCTUATION = /[!-/:-@[-`{-~\p{P}]/gu;
const WORD =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;
const GPT2 =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

const chain =
  (...steps: readonly PreTokenizer[]): PreTokenizer =>
  (pieces) =>
    steps.reduce((cut, step) => step(cut), [...pieces]);

const changing =
  (change: (piece: Piece) => string): PreTokenizer =>
  (pieces) =>
    pieces.map((piece) => ({ ...piece, text: change(piece) }));

const withBlank = changing(({ text }) => (text.startsWith(' ') ? text : ` ${text}`));
const asBytes = changing(({ text }) => byteCharacters(text));

const metaspaceSchema = z.looseObject({
  replacement: z.string().refine((one) => [...one].length === 1, 'it is one character'),
  prepend_scheme: z.enum(['always', 'first', 'never']).optional(),
  add_prefix_space: z.boolean().optional(),
  split: z.boolean().default(true),
});

function metaspace({
  replacement,
  prepend_scheme,
  add_prefix_space,
  split,
}: z.output<typeof metaspaceSchema>): PreTokenizer {
  const scheme = prepend_scheme ?? 'always';
  if (add_prefix_space === false && scheme !== 'never') throw new Error('add_prefix_space and prepend_scheme disagree');
  const marked = changing(({ text, first }) => {
    const spelled = text.replaceAll(' ', replacement);
    const prepends = (scheme === 'always' || (scheme === 'first' && first)) && !spelled.startsWith(replacement);
    return prepends ? replacement + spelled : spelled;
  });
  return split ? chain(marked, splitting(compilePattern({ String: replacement }), 'MergedWithNext')) : marked;
}

const byteLevelSchema = z.looseObject({
  add_prefix_space: z.boolean().default(true),
  use_regex: z.boolean().default(true),
});

function byteLevel({ add_prefix_space, use_regex }: z.output<typeof byteLevelSchema>): PreTokenizer {
  const steps = [
    ...(add_prefix_space ? [withBlank] : []),
    ...(use_regex ? [splitting(GPT2, 'Isolated')] : []),
    asBytes,
  ];
  return chain(...steps);
}

const splitSchema = z.looseObject({ pattern, behavior, invert: z.boolean().default(false) });

/** Reads the fields of one kind. */
const kind =
  <Fields>(schema: z.ZodType<Fields>, build: (fields: Fields) => PreTokenizer) =>
  (json: unknown): PreTokenizer =>
    build(schema.parse(json));

const anything = z.looseObject({});

/** By their `type`. Those that are not here are refused by name. */
export const PRE_TOKENIZERS: Readonly<Record<string, (json: unknown) => PreTokenizer>> = {
  Sequence: kind(z.looseObject({ pretokenizers: z.array(z.unknown()) }), ({ pretokenizers }) =>
    chain(...pretokenizers.map(preTokenizerOf))),
  Split: kind(splitSchema, (fields) => splitting(compilePattern(fields.pattern), fields.behavior, fields.invert)),
  Digits: kind(z.looseObject({ individual_digits: z.boolean().default(false) }), ({ individual_digits }) =>
    splitting(/\p{N}/gu, individual_digits ? 'Isolated' : 'Contiguous')),
  Punctuation: kind(z.looseObject({ behavior: behavior.default('Isolated') }), (fields) => splitting(PUNCTUATION, fields.behavior)),
  Whitespace: kind(anything, () => splitting(WORD, 'Removed', true)),
  WhitespaceSplit: kind(anything, () => splitting(SPACE, 'Removed')),
  BertPreTokenizer: kind(anything, () => chain(splitting(SPACE, 'Removed'), splitting(PUNCTUATION, 'Isolated'))),
  CharDelimiterSplit: kind(z.looseObject({ delimiter: z.string() }), ({ delimiter }) =>
    splitting(compilePattern({ String: delimiter }), 'Removed')),
  Metaspace: kind(metaspaceSchema, metaspace),
  ByteLevel: kind(byteLevelSchema, byteLevel),
  FixedLength: kind(z.looseObject({ length: z.int().positive() }), ({ length }) =>
    splitting(new RegExp(`[^]{1,${length}}`, 'gu'), 'Isolated')),
}; // biome-ignore format: one kind an entry

/** @throws Error naming a kind that is not supported, or what is wrong with one. */
export function preTokenizerOf(json: unknown): PreTokenizer {
  const { type } = z.looseObject({ type: z.string() }).parse(json);
  const build = lookUp(PRE_TOKENIZERS, type);
  if (build === undefined) throw new Error(`the pre-tokenizer ${type} is not supported`);
  return build(json);
}
