import { z } from 'zod';
import { lookUp } from '../look-up.ts';
import { bytesOfCharacters } from './byte-characters.ts';
import { compilePattern, pattern } from './regex.ts';

/** @file How tokens become text again, as Python's `tokenizers` does it. */

/** Changes a list of tokens; what is left is joined. */
export type Decoder = (tokens: readonly string[]) => string[];

const each =
  (change: (token: string, at: number, last: number) => string): Decoder =>
  (tokens) =>
    tokens.map((token, at) => change(token, at, tokens.length - 1));

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** A token that is not spelled in byte characters stands for its own text. */
const byteLevel: Decoder = (tokens) => {
  const bytes = tokens.map((token) => bytesOfCharacters(token) ?? Buffer.from(token, 'utf8'));
  return [utf8.decode(Buffer.concat(bytes))];
};

const BYTE = /^<0x([0-9A-Fa-f]{2})>$/;

/** Bytes in a row that are no UTF-8 become as many signs of replacement. */
function fromBytes(bytes: readonly number[]): string {
  const buffer = Buffer.from(bytes);
  const text = utf8.decode(buffer);
  return Buffer.from(text, 'utf8').equals(buffer) ? text : '\u{FFFD}'.repeat(bytes.length);
}

const byteFallback: Decoder = (tokens) => {
  const decoded: string[] = [];
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length > 0) decoded.push(fromBytes(bytes));
    bytes = [];
  };
  for (const token of tokens) {
    const [, byte] = BYTE.exec(token) ?? [];
    if (byte !== undefined) bytes.push(Number.parseInt(byte, 16));
    else {
      flush();
      decoded.push(token);
    }
  }
  flush();
  return decoded;
};

const CLEANED: readonly (readonly [string, string])[] = [
  [' .', '.'], [' ?', '?'], [' !', '!'], [' ,', ','], [" ' ", "'"], [" n't", "n't"], [" 'm", "'m"],
  [' do not', " don't"], [" 's", "'s"], [" 've", "'ve"], [" 're", "'re"],
]; // biome-ignore format: pairs

const cleaned = (token: string): string => CLEANED.reduce((text, [from, to]) => text.replaceAll(from, () => to), token);

const wordPiece = ({ prefix, cleanup }: { prefix: string; cleanup: boolean }): Decoder =>
  each((token, at) => {
    const inside = token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
    const joined = at === 0 ? token : inside;
    return cleanup ? cleaned(joined) : joined;
  });

/** Cuts a character off the ends of each token, at most so often. */
const strip = ({ content, start, stop }: { content: string; start: number; stop: number }): Decoder =>
  each((token) => {
    const characters = Array.from(token);
    let [from, to] = [0, characters.length];
    while (from < start && characters[from] === content) from++;
    while (characters.length - to < stop && to > from && characters[to - 1] === content) to--;
    return characters.slice(from, to).join('');
  });

/** The sign is dropped from the first token, where the pre-tokenizer put it, and is a blank in the others. */
const metaspace = (fields: { replacement: string; prepend_scheme: string }): Decoder =>
  each((token, at) => token.replaceAll(fields.replacement, at === 0 && fields.prepend_scheme !== 'never' ? '' : ' '));

const kind = <Fields>(schema: z.ZodType<Fields>, build: (fields: Fields) => Decoder) => (json: unknown): Decoder =>
  build(schema.parse(json)); // biome-ignore format: one line

/** By their `type`. Those that are not here are refused by name. */
const DECODERS: Readonly<Record<string, (json: unknown) => Decoder>> = {
  Sequence: kind(z.looseObject({ decoders: z.array(z.unknown()) }), ({ decoders }) => {
    const steps = decoders.map(decoderOf);
    return (tokens) => steps.reduce((done, step) => step(done), [...tokens]);
  }),
  ByteLevel: () => byteLevel,
  ByteFallback: () => byteFallback,
  Fuse: () => (tokens) => [tokens.join('')],
  WordPiece: kind(z.looseObject({ prefix: z.string(), cleanup: z.boolean() }), wordPiece),
  BPEDecoder: kind(z.looseObject({ suffix: z.string() }), ({ suffix }) =>
    each((token, at, last) => token.replaceAll(suffix, at === last ? '' : ' ')),
  ),
  Strip: kind(z.looseObject({ content: z.string(), start: z.int(), stop: z.int() }), strip),
  Metaspace: kind(z.looseObject({ replacement: z.string(), prepend_scheme: z.string().default('always') }), metaspace),
  Replace: kind(z.looseObject({ pattern, content: z.string() }), (fields) => {
    const expression = compilePattern(fields.pattern);
    return each((token) => token.replaceAll(expression, () => fields.content));
  }),
};

/** @throws Error naming a decoder that is not supported, or what is wrong with one. */
export function decoderOf(json: unknown): Decoder {
  if (json === null || json === undefined) return (tokens) => [tokens.join(' ')];
  const { type } = z.looseObject({ type: z.string() }).parse(json);
  const build = lookUp(DECODERS, type);
  if (build === undefined) throw new Error(`the decoder ${type} is not supported`);
  return build(json);
}
