import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { ZodError } from 'zod';
import { readJson } from '../disk/read-json.ts';
import type { TokenIds } from '../engine/engine.ts';
import { InputError, ModelError } from '../errors.ts';
import { AddedTokens, isNormalized, type Section } from './added-tokens.ts';
import { bytesOfCharacters } from './byte-characters.ts';
import { type Decoder, decoderOf } from './decoders.ts';
import { type Normalizer, normalizerOf } from './normalizers.ts';
import { type PreTokenizer, preTokenizerOf } from './pre-tokenizers.ts';
import { checkTokenizer, type TokenizerJson } from './tokenizer-json.ts';

/** @file Text and token ids, as `tokenizer.json` says. */

/** What stands for an id that no token has: rows of the embedding beyond the vocabulary. */
const NAMELESS = '\u{FFFD}';

/** Stands for a character that the vocabulary lacks. */
const LOST = -1;

/**
 * Text <-> token ids. No token is added and none dropped: special tokens are text like any other. Added tokens,
 * normalizer, pre-tokenizer and decoder are carried out here, as Python's `tokenizers` does; the model between them (BPE,
 * Unigram ...) by Hugging Face's library.
 */
export class Tokenizer {
  readonly #path: string;
  readonly #inner: HuggingFaceTokenizer;
  /** The texts of tokens that have been asked for, each on its own. */
  readonly #texts = new Map<number, string>();
  readonly #unknown: number | undefined;
  readonly #idsByName: ReadonlyMap<string, number>;
  readonly #normalize: Normalizer;
  readonly #cut: PreTokenizer;
  readonly #decode: Decoder;
  /** The decoder as it was written. */
  readonly #steps: string;
  /** Looked for in the text as it is given, and in what the normalizer made of the rest. */
  readonly #added: AddedTokens;
  readonly #normalizedAdded: AddedTokens;
  /** Whether the tokens of a piece are the piece; where they are not, a character was dropped. */
  readonly #spells: boolean;
  /** Whether a text begins otherwise than the same text behind another. */
  readonly #prefixes: boolean;

  private constructor(path: string, json: TokenizerJson, raw: object) {
    this.#path = path;
    const { normalizer = null, pre_tokenizer = null } = json;
    this.#normalize = normalizer === null ? (text) => text : normalizerOf(normalizer);
    this.#cut = pre_tokenizer === null ? (pieces) => [...pieces] : preTokenizerOf(pre_tokenizer);
    this.#prefixes = PREFIXING.some((part) => JSON.stringify({ normalizer, pre_tokenizer }).includes(part));
    const entries = json.added_tokens.map((token) => {
      return { token, content: isNormalized(token) ? this.#normalize(token.content) : token.content };
    });
    this.#added = new AddedTokens(entries.filter(({ token }) => !isNormalized(token)));
    this.#normalizedAdded = new AddedTokens(entries.filter(({ token }) => isNormalized(token)));
    const added_tokens = entries.map(({ token, content }) => ({ ...token, content })); // as Python decodes them
    const done = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null }; // by us, or not wanted
    this.#decode = decoderOf(json.decoder);
    this.#steps = JSON.stringify(json.decoder ?? null);
    this.#inner = new HuggingFaceTokenizer({ ...raw, added_tokens, ...done }, {});
    const { unk_token, unk_id, type, byte_fallback, end_of_word_suffix } = json.model;
    this.#unknown = unk_id ?? (typeof unk_token === 'string' ? this.#inner.token_to_id(unk_token) : undefined);
    this.#spells = type === 'BPE' && !byte_fallback && !end_of_word_suffix;
    this.#idsByName = new Map(json.added_tokens.map(({ content, id }) => [content, id]));
  }

  /**
   * @param vocabSize of the model: no token may have a larger id.
   * @throws ModelError where `tokenizer.json` is missing, damaged or of an unsupported kind.
   */
  static async open(folder: string, vocabSize: number): Promise<Tokenizer> {
    const path = join(folder, 'tokenizer.json');
    const raw = await readJson(path);
    const json = checkTokenizer(path, raw, vocabSize);
    return safely(path, () => new Tokenizer(path, json, raw as object)); // just checked
  }

  /** @throws InputError naming the first character that the vocabulary lacks. */
  encode(text: string): TokenIds {
    const ids = this.#safely(() => this.#idsOf(text));
    if (!this.#isLossy(ids, text)) return ids;
    const lost = Array.from(text).find((character) => this.#isLossy(this.#idsOf(character), character));
    throw this.#refusal(lost ?? text, text);
  }

  /** As {@link encode}, for text that stands behind other text: some tokenizers write a blank in front of the first. */
  encodeInside(text: string): TokenIds {
    if (!this.#prefixes || text === '') return this.encode(text);
    const line = this.encode('\n');
    const both = this.encode(`\n${text}`);
    return line.every((id, at) => both[at] === id) ? both.slice(line.length) : this.encode(text);
  }

  decode(tokens: TokenIds): string {
    const runs: string[][] = [[]];
    for (const id of tokens) {
      const token = this.#inner.id_to_token(id);
      if (token === undefined) runs.push([]);
      else runs.at(-1)!.push(token); // never empty
    }
    return runs.map((run) => (run.length === 0 ? '' : this.#decode(run).join(''))).join(NAMELESS);
  }

  /**
   * The text of each token; together they are `decode(tokens)`. A character that is spread over several tokens belongs
   * to the last of them.
   */
  pieces(tokens: TokenIds): string[] {
    const alone = tokens.map((token) => this.#textOf(token));
    if (alone.join('') === this.decode(tokens)) return alone;
    let shown = '';
    return tokens.map((_, at) => {
      const text = this.decode(tokens.slice(0, at + 1));
      const whole = at === tokens.length - 1 || !text.endsWith(NAMELESS);
      const piece = whole && text.startsWith(shown) ? text.slice(shown.length) : '';
      shown += piece;
      return piece;
    });
  }

  /** The bytes that a token stands for in the middle of a text: of a character in part, where it is spread over several. */
  bytes(id: number): Uint8Array {
    const token = this.#inner.id_to_token(id);
    const [, byte] = this.#steps.includes('ByteFallback') ? (/^<0x([0-9A-F]{2})>$/.exec(token ?? '') ?? []) : [];
    if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
    if (token !== undefined && this.#steps.includes('ByteLevel')) return bytesOfCharacters(token) ?? Buffer.from(token);
    return Buffer.from(this.decode([id, id]).slice(this.decode([id]).length)); // the first of a text may lose its blank
  }

  /** The id of a token by its exact text. */
  idOf(token: string): number | undefined {
    return this.#idsByName.get(token) ?? this.#inner.token_to_id(token);
  }

  /** Added tokens, and the normalised text between them. */
  #sections(text: string): Section[] {
    return this.#added.split(text).flatMap((section) => {
      if (section.id !== undefined) return [section];
      const sections = this.#normalizedAdded.split(this.#normalize(section.text));
      return sections.map((one) => ({ ...one, start: section.start + one.start }));
    });
  }

  #idsOf(text: string): number[] {
    return this.#sections(text).flatMap(({ text: part, id, start }) => {
      if (id !== undefined) return [id];
      const pieces = this.#cut([{ text: part, first: start === 0 }]).map((piece) => piece.text);
      const tokens: readonly string[] = this.#inner.model!(pieces); // made with one
      if (this.#spells && tokens.join('') !== pieces.join('')) return [LOST];
      return tokens.map((token) => this.#inner.token_to_id(token) ?? this.#unknown ?? LOST);
    });
  }

  /** Whether a character was lost, or became the unknown token, which may also stand in the text by its name. */
  #isLossy(ids: TokenIds, text: string): boolean {
    if (ids.includes(LOST)) return true;
    if (this.#unknown === undefined) return false;
    const name = this.#inner.id_to_token(this.#unknown) ?? '';
    return ids.filter((id) => id === this.#unknown).length !== text.split(name).length - 1;
  }

  #textOf(token: number): string {
    const text = this.#texts.get(token) ?? this.decode([token]);
    this.#texts.set(token, text);
    return text;
  }

  #safely<Result>(work: () => Result): Result {
    return safely(this.#path, work);
  }

  #refusal(character: string, text: string): InputError {
    const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
    return new InputError(
      `${JSON.stringify(character)} (U+${code}) in ${shown} is not in the vocabulary of ${this.#path}`,
    );
  }
}

/** Steps that write a blank in front of a text. */
const PREFIXING = ['"Metaspace"', '"Prepend"', '"add_prefix_space":true'];

/** The libraries stumble over what they do not check. */
function safely<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new ModelError(`${path}: ${reasonOf(error)}; this tokenizer cannot be used`);
  }
}

/** A validator's issue by its place, or the first line of another error. */
function reasonOf(error: unknown): string {
  if (error instanceof ZodError) return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)[0]!; // it has one
  return (error as Error).message.split('\n')[0]!; // nothing else is thrown
}
