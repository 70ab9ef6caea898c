import { z } from 'zod';
import { ModelError } from '../errors.ts';
import { addedToken } from './added-tokens.ts';

/** @file What `tokenizer.json` has to hold, and which of its forms are refused. */

const id = z.int().nonnegative();

const modelSchema = z.looseObject({
  type: z.enum(['BPE', 'WordLevel', 'WordPiece', 'Unigram']),
  merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])).optional(),
  unk_token: z.string().nullish(),
  unk_id: id.nullish(),
  dropout: z.number().nullish(),
  continuing_subword_prefix: z.string().nullish(),
  end_of_word_suffix: z.string().nullish(),
  byte_fallback: z.boolean().default(false),
});

const tokenizerSchema = z.looseObject({
  added_tokens: z.array(addedToken),
  normalizer: z.unknown(),
  pre_tokenizer: z.unknown(),
  decoder: z.unknown(),
  model: modelSchema,
});

export type TokenizerJson = z.output<typeof tokenizerSchema>;

/**
 * Checks a parsed `tokenizer.json`; the library underneath would go on with less.
 * @param vocabSize of the model: no token may have a larger id.
 * @throws ModelError naming the field, the token or the merge that is wrong, or the form that is not supported.
 */
export function checkTokenizer(path: string, raw: unknown, vocabSize: number): TokenizerJson {
  const parsed = tokenizerSchema.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!; // a failed parse has one
    throw damaged(path, `${issue.path.join('.')}: ${issue.message}`);
  }
  refuseForms(path, parsed.data.model);
  checkVocabulary(path, parsed.data, vocabSize);
  return parsed.data;
}

const damaged = (path: string, what: string): ModelError =>
  new ModelError(`${path}: ${what}; the file is damaged or of a newer kind`);

function refuseForms(path: string, model: TokenizerJson['model']): void {
  const found = [
    (model.dropout ?? 0) > 0 && 'a BPE with dropout draws its tokens by chance',
    model.type === 'BPE' && model.continuing_subword_prefix && 'a BPE with continuing_subword_prefix',
    model.type === 'Unigram' && model.byte_fallback && 'a Unigram with byte_fallback',
  ].find((what) => typeof what === 'string' && what !== '');
  if (found) throw new ModelError(`${path}: model: ${found}; this tokenizer is not supported`);
}

/** Read by hand: `__proto__` is a token like any other, and a vocabulary is too long for a schema. */
function vocabularyOf(path: string, { model }: TokenizerJson): (readonly [string, number])[] {
  const { vocab } = model;
  if (typeof vocab !== 'object' || vocab === null) throw damaged(path, 'model.vocab: is not there');
  const entries: readonly unknown[] = Array.isArray(vocab)
    ? vocab.map((entry: unknown, at) => (isScored(entry) ? [entry[0], at] : entry))
    : Object.entries(vocab);
  return entries.map((entry) => {
    if (isEntry(entry)) return entry;
    throw damaged(path, `model.vocab: ${JSON.stringify(entry)} is no token with its id`);
  });
}

const isScored = (entry: unknown): entry is readonly [string, number] =>
  Array.isArray(entry) && entry.length === 2 && typeof entry[0] === 'string' && typeof entry[1] === 'number';

const isEntry = (entry: unknown): entry is readonly [string, number] =>
  isScored(entry) && Number.isSafeInteger(entry[1]) && entry[1] >= 0;

/** Each token has one id of its own, which the model has a row for. */
function checkVocabulary(path: string, json: TokenizerJson, vocabSize: number): void {
  const ids = new Map<string, number>();
  const tokens = new Map<number, string>();
  const added = json.added_tokens.map(({ content, id: given }) => [content, given] as const);
  for (const [token, given] of [...vocabularyOf(path, json), ...added]) {
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
  checkMerges(path, json.model.merges ?? [], ids);
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
