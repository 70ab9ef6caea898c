import { z } from 'zod';
import { lookUp } from '../look-up.ts';
import { byteCharacters } from './byte-characters.ts';
import { compilePattern, pattern } from './regex.ts';

/** @file How a text is rewritten before it is cut, as Python's `tokenizers` rewrites it. */

export type Normalizer = (text: string) => string;

/** Character by character: no letter's case depends on its neighbours, as `toLowerCase` of a whole text has it. */
const lowercase: Normalizer = (text) => Array.from(text, (character) => character.toLowerCase()).join('');

const stripAccents: Normalizer = (text) => text.replaceAll(/\p{M}/gu, '');

const bertSchema = z.looseObject({
  clean_text: z.boolean().default(true),
  handle_chinese_chars: z.boolean().default(true),
  strip_accents: z.boolean().nullish(),
  lowercase: z.boolean().default(true),
});

const HAN = /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/gu; // biome-ignore format: one line

/** As BERT's own tokenizer. */
function bert({
  clean_text,
  handle_chinese_chars,
  strip_accents,
  lowercase: lower,
}: z.output<typeof bertSchema>): Normalizer {
  const steps: Normalizer[] = [];
  if (clean_text)
    steps.push((text) => text.replaceAll(/(?![\t\n\r])[\0\uFFFD\p{C}]/gu, '').replaceAll(/\p{White_Space}/gu, ' '));
  if (handle_chinese_chars) steps.push((text) => text.replaceAll(HAN, ' $& '));
  if (strip_accents ?? lower) steps.push((text) => text.normalize('NFD').replaceAll(/\p{Mn}/gu, ''));
  if (lower) steps.push(lowercase);
  return chain(steps);
}

const chain =
  (steps: readonly Normalizer[]): Normalizer =>
  (text) =>
    steps.reduce((done, step) => step(done), text);

const form = (name: 'NFC' | 'NFD' | 'NFKC' | 'NFKD') => (): Normalizer => (text) => text.normalize(name);

const kind =
  <Fields>(schema: z.ZodType<Fields>, build: (fields: Fields) => Normalizer) =>
  (json: unknown): Normalizer =>
    build(schema.parse(json));

/** By their `type`. Those that are not here are refused by name. */
export const NORMALIZERS: Readonly<Record<string, (json: unknown) => Normalizer>> = {
  Sequence: kind(z.looseObject({ normalizers: z.array(z.unknown()) }), ({ normalizers }) => chain(normalizers.map(normalizerOf))),
  NFC: form('NFC'),
  NFD: form('NFD'),
  NFKC: form('NFKC'),
  NFKD: form('NFKD'),
  Lowercase: () => lowercase,
  StripAccents: () => stripAccents,
  Strip: kind(z.looseObject({ strip_left: z.boolean(), strip_right: z.boolean() }), ({ strip_left, strip_right }) =>
    chain([
      (text) => (strip_left ? text.replace(/^\p{White_Space}+/u, '') : text),
      (text) => (strip_right ? text.replace(/\p{White_Space}+$/u, '') : text),
    ])),
  Prepend: kind(z.looseObject({ prepend: z.string() }), ({ prepend }) => (text) => (text === '' ? '' : prepend + text)),
  Replace: kind(z.looseObject({ pattern, content: z.string() }), (fields) => {
    const expression = compilePattern(fields.pattern);
    return (text) => text.replaceAll(expression, () => fields.content);
  }),
  BertNormalizer: kind(bertSchema, bert),
  ByteLevel: () => byteCharacters,
}; // biome-ignore format: one kind an entry

/** @throws Error naming a kind that is not supported, or what is wrong with one. */
export function normalizerOf(json: unknown): Normalizer {
  const { type } = z.looseObject({ type: z.string() }).parse(json);
  const build = lookUp(NORMALIZERS, type);
  if (build === undefined) throw new Error(`the normalizer ${type} is not supported`);
  return build(json);
}
