import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { readJson } from '../disk/read-json.ts';
import type { TokenIds } from '../engine/engine.ts';
import { InputError, ModelError } from '../errors.ts';
import { lookUp } from '../look-up.ts';

/** @file Text and token ids, as `tokenizer.json` says. */

const id = z.int().nonnegative();

/** What is checked here; the library underneath would go on with less. */
const tokenizerSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id, content: z.string().min(1), single_word: z.literal(false).optional() })),
  model: z.looseObject({
    type: z.enum(['BPE', 'WordLevel', 'WordPiece', 'Unigram']),
    vocab: z.union([z.record(z.string(), id), z.array(z.tuple([z.string(), z.number()]))]),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])).optional(),
    unk_token: z.string().nullish(),
  }),
});
type TokenizerJson = z.output<typeof tokenizerSchema>;

/** What stands for an id that no token has: rows of the embedding beyond the vocabulary. */
const NAMELESS = '\u{FFFD}';

/** Text <-> token ids. Nothing is added and nothing dropped: special tokens are text like any other. */
export class Tokenizer {
  readonly #path: string;
  readonly #inner: HuggingFaceTokenizer;
  /** The texts of tokens that have been asked for, each on its own. */
  readonly #texts = new Map<number, string>();
  readonly #unknown: number | undefined;
  /** What was encoded decodes to the same text; where it does not, something was lost. */
  readonly #exact: boolean;
  /** Whether a text begins otherwise than the same text behind another. */
  readonly #prefixes: boolean;

  private constructor(path: string, json: TokenizerJson, inner: HuggingFaceTokenizer) {
    this.#path = path;
    this.#inner = inner;
    const { unk_token } = json.model;
    this.#unknown = typeof unk_token === 'string' ? inner.token_to_id(unk_token) : undefined;
    this.#prefixes = writesPrefix(json);
    const plain = ['BPE', 'WordLevel'].includes(json.model.type) && (json.normalizer ?? null) === null;
    this.#exact = plain && !this.#prefixes;
  }

  /**
   * @param vocabSize of the model: no token may have a larger id.
   * @throws ModelError where `tokenizer.json` is missing, damaged or of an unsupported kind.
   */
  static async open(folder: string, vocabSize: number): Promise<Tokenizer> {
    const path = join(folder, 'tokenizer.json');
    const raw = await readJson(path);
    const json = checkForm(path, raw);
    checkVocabulary(path, json, vocabSize);
    const inner = safely(path, () => new HuggingFaceTokenizer(raw, {}));
    return new Tokenizer(path, json, inner);
  }

  /** @throws InputError naming the first character that the vocabulary lacks. */
  encode(text: string): TokenIds {
    const { ids, tokens } = this.#safely(() => this.#inner.encode(text, { add_special_tokens: false }));
    const known: readonly (number | undefined)[] = ids; // the library's type forgets that ids may be missing
    const missing = known.findIndex((one) => one === undefined || one === this.#unknown);
    if (missing >= 0 && !this.#writesUnknown(text, ids)) throw this.#refusal(tokens[missing]!, text);
    if (this.#exact && this.decode(ids) !== text) throw this.#refusal(this.#firstLost(text, this.decode(ids)), text);
    return ids;
  }

  /** Whether every unknown token stands in the text by its name, as special tokens may. */
  #writesUnknown(text: string, ids: TokenIds): boolean {
    if (this.#unknown === undefined || ids.includes(undefined as never)) return false; // as the library leaves gaps
    const name = this.#inner.id_to_token(this.#unknown);
    return text.split(name ?? '').length - 1 === ids.filter((one) => one === this.#unknown).length;
  }

  /** As {@link encode}, for text that stands behind other text: some tokenizers write a blank in front of the first. */
  encodeInside(text: string): TokenIds {
    if (!this.#prefixes || text === '') return this.encode(text);
    const line = this.encode('\n');
    const both = this.encode(`\n${text}`);
    return line.every((id, at) => both[at] === id) ? both.slice(line.length) : this.encode(text);
  }

  decode(tokens: TokenIds): string {
    const runs: number[][] = [[]];
    for (const token of tokens) {
      if (this.#inner.id_to_token(token) === undefined) runs.push([]);
      else runs.at(-1)!.push(token);
    }
    return runs.map((run) => this.#decodeKnown(run)).join(NAMELESS);
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

  /** The id of a token by its exact text. */
  idOf(token: string): number | undefined {
    return this.#inner.token_to_id(token);
  }

  #textOf(token: number): string {
    const text = this.#texts.get(token) ?? this.decode([token]);
    this.#texts.set(token, text);
    return text;
  }

  #decodeKnown(tokens: number[]): string {
    if (tokens.length === 0) return '';
    const how = { skip_special_tokens: false, clean_up_tokenization_spaces: false };
    return this.#safely(() => this.#inner.decode(tokens, how));
  }

  #safely<Result>(work: () => Result): Result {
    return safely(this.#path, work);
  }

  #firstLost(text: string, decoded: string): string {
    let same = 0;
    while (text[same] === decoded[same]) same++; // the texts differ, so this ends
    return String.fromCodePoint(text.codePointAt(same) ?? 0);
  }

  #refusal(character: string, text: string): InputError {
    const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
    return new InputError(
      `${JSON.stringify(character)} (U+${code}) in ${shown} is not in the vocabulary of ${this.#path}`,
    );
  }
}

/** The library stumbles over what it does not check. */
function safely<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0]; // it throws nothing else
    throw new ModelError(`${path}: ${reason}; this tokenizer cannot be used`);
  }
}

function checkForm(path: string, raw: unknown): TokenizerJson {
  const parsed = tokenizerSchema.safeParse(raw);
  if (parsed.success) return refuseUnsupported(path, parsed.data);
  const issue = parsed.error.issues[0]!; // a failed parse has one
  throw new ModelError(`${path}: ${issue.path.join('.')}: ${issue.message}; the file is damaged or of a newer kind`);
}

/** Steps that write a blank in front of a text. */
const PREFIXING = ['"Metaspace"', '"Prepend"', '"add_prefix_space":true'];

const writesPrefix = ({ normalizer, pre_tokenizer }: TokenizerJson): boolean => {
  const steps = JSON.stringify({ normalizer, pre_tokenizer });
  return PREFIXING.some((part) => steps.includes(part));
};

function refuseUnsupported(path: string, json: TokenizerJson): TokenizerJson {
  const { normalizer, pre_tokenizer } = json;
  for (const step of everyStep({ normalizer, pre_tokenizer })) checkStep(path, step);
  return json;
}

const pattern = z.union([z.strictObject({ Regex: z.string() }), z.strictObject({ String: z.string() })]);

/** The forms that the library carries out as Python does; it goes on with others, and otherwise. */
const stepSchemas: Readonly<Record<string, z.ZodType>> = {
  Split: z.looseObject({ pattern, behavior: z.enum(['Isolated', 'Removed']), invert: z.boolean() }),
  Replace: z.looseObject({ pattern, content: z.string() }),
};

function checkStep(path: string, step: object): void {
  const type = 'type' in step ? String(step.type) : '';
  const parsed = lookUp(stepSchemas, type)?.safeParse(step);
  if (parsed === undefined || parsed.success) return;
  const issue = parsed.error.issues[0]!; // a failed parse has one
  throw new ModelError(`${path}: ${type}.${issue.path.join('.')}: ${issue.message}; this tokenizer is not supported`);
}

function everyStep(value: unknown): object[] {
  return typeof value === 'object' && value !== null ? [value, ...Object.values(value).flatMap(everyStep)] : [];
}

/** Each token has one id of its own, which the model has a row for. */
function checkVocabulary(path: string, { model, added_tokens }: TokenizerJson, vocabSize: number): void {
  const own = Array.isArray(model.vocab)
    ? model.vocab.map(([token], at) => [token, at] as const)
    : Object.entries(model.vocab);
  const ids = new Map<string, number>();
  const tokens = new Map<number, string>();
  for (const [token, given] of [...own, ...added_tokens.map(({ content, id: given }) => [content, given] as const)]) {
    const first = ids.get(token) ?? given;
    const other = tokens.get(given) ?? token;
    if (first !== given) throw new ModelError(`${path}: ${quoted(token)} has two ids, ${first} and ${given}`);
    if (other !== token) throw new ModelError(`${path}: ${quoted(other)} and ${quoted(token)} share the id ${given}`);
    if (given >= vocabSize) {
      throw new ModelError(
        `${path}: ${quoted(token)} has the id ${given}, but config.json has vocab_size ${vocabSize}`,
      );
    }
    ids.set(token, given);
    tokens.set(given, token);
  }
  checkMerges(path, model.merges ?? [], ids);
}

const quoted = (text: unknown): string => JSON.stringify(text);

function checkMerges(
  path: string,
  merges: readonly (string | readonly string[])[],
  ids: ReadonlyMap<string, number>,
): void {
  for (const merge of merges) {
    const [left, right, ...rest] = typeof merge === 'string' ? merge.split(' ') : merge;
    const known =
      right !== undefined && rest.length === 0 && [left!, right, left + right].every((token) => ids.has(token));
    if (!known) throw new ModelError(`${path}: the merge ${quoted(merge)} is not of tokens in the vocabulary`);
  }
}
