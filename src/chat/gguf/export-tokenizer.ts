import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { readJson } from '../../disk/read-json.ts';
import { count, counts, flag, type GgufValue, text, texts } from '../../engine/local/files/gguf/gguf-writer.ts';
import { ModelError } from '../../errors.ts';
import { PRE_TOKENIZERS, preTokenizerJson } from './pre-tokenizers.ts';
import { TOKEN_KIND } from './tokens.ts';

/** @file The tokenizer of a Hugging Face folder as llama.cpp has it. */

const schema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string(), special: z.boolean().default(false) })),
  normalizer: z.looseObject({ type: z.string() }).nullish(),
  post_processor: z.unknown(),
  model: z.looseObject({
    type: z.string(),
    vocab: z.record(z.string(), z.int()),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])).default([]),
    ignore_merges: z.boolean().default(false),
  }),
});
type TokenizerJson = z.output<typeof schema>;

/**
 * Metadata by key.
 * @param vocabSize rows of the embedding; those without a token are named as llama.cpp's own converter does.
 * @throws ModelError where llama.cpp has no such tokenizer.
 */
export async function exportedTokenizer(folder: string, vocabSize: number): Promise<Record<string, GgufValue>> {
  const path = join(folder, 'tokenizer.json');
  const raw = await readJson(path);
  const parsed = schema.safeParse(raw);
  if (!parsed.success) throw unsupported(path, 'is not byte-level BPE');
  const json = parsed.data;
  const spelling = spellingOf(path, json);
  const tokens = Array.from({ length: vocabSize }, (_, id) => ({
    text: `[PAD${id}]`,
    kind: TOKEN_KIND.unused as number,
  }));
  for (const [token, id] of Object.entries(json.model.vocab))
    tokens[id] = { text: spelling(token), kind: TOKEN_KIND.normal };
  for (const { id, content, special } of json.added_tokens) {
    tokens[id] = { text: content, kind: special ? TOKEN_KIND.control : TOKEN_KIND.userDefined };
  }
  return {
    'tokenizer.ggml.model': text('gpt2'),
    'tokenizer.ggml.pre': text(preTokenizerOf(path, raw, json)),
    'tokenizer.ggml.tokens': texts(tokens.map((token) => token.text)),
    'tokenizer.ggml.token_type': counts(tokens.map(({ kind }) => kind)),
    'tokenizer.ggml.merges': texts(
      json.model.merges.map((merge) => (typeof merge === 'string' ? merge : merge.join(' '))),
    ),
    'tokenizer.ggml.add_bos_token': flag(JSON.stringify(json.post_processor ?? null).includes('"SpecialToken"')),
  };
}

const unsupported = (path: string, what: string): ModelError =>
  new ModelError(`${path}: ${what}; only byte-level tokenizers can be written as GGUF`);

/** A character that is one byte. */
const CHARACTER = /^[ -~\n]$/;

/** Tokens of a byte-level tokenizer are spelt as llama.cpp has them; those of a character tokenizer are not. */
function spellingOf(path: string, json: TokenizerJson): (token: string) => string {
  if (!isCharacterLevel(json)) {
    if (json.model.type !== 'BPE') throw unsupported(path, `model.type is "${json.model.type}"`);
    return (token) => token;
  }
  return (token) => (CHARACTER.test(token) ? token.replace(' ', 'Ġ').replace('\n', 'Ċ') : token);
}

/** A token for each ASCII character that there is, and nothing to merge: bytes by another spelling. */
function isCharacterLevel({ model, added_tokens }: TokenizerJson): boolean {
  const added = new Set(added_tokens.map(({ content }) => content));
  const own = Object.keys(model.vocab).filter((token) => !added.has(token));
  return model.merges.length === 0 && own.every((token) => CHARACTER.test(token));
}

/** Texts that two rules of where a word ends cut differently. */
const PROBES = [
  "it's IT'S don't we'll 12 123 1234 12345 x² ½",
  'a  b\n\n c\r\n\t d ',
  'CamelCase snake_case $5+3=8 <a> ^b| ~c `d` e.f "g" {h}...\n(i)/j',
  'naïve ÉTÉ 日本語、テキスト русский e\u0301 😊\u00a0\u3000x',
];

/** The name of the rule that cuts every probe as this tokenizer does. */
function preTokenizerOf(path: string, raw: Record<string, unknown>, json: TokenizerJson): string {
  if (json.model.merges.length === 0) return 'gpt-2'; // nothing is merged, wherever words end
  const type = json.normalizer?.type ?? 'NFC'; // llama.cpp normalises nothing; composed text is the same
  if (type !== 'NFC') throw unsupported(path, `normalizer.type is "${type}"`);
  const wanted = cut(raw);
  for (const [name, rule] of PRE_TOKENIZERS) {
    const alike = (rule.ignoreMerges ?? false) === json.model.ignore_merges;
    if (alike && cut({ ...raw, pre_tokenizer: preTokenizerJson(rule) }) === wanted) return name;
  }
  throw unsupported(path, 'pre_tokenizer cuts text into words in a way that llama.cpp is not known to have');
}

function cut(raw: Record<string, unknown>): string {
  const empty = { type: 'BPE', vocab: {}, merges: [] };
  const { pre_tokenizer } = new HuggingFaceTokenizer({ ...raw, added_tokens: [], model: empty }, {});
  return JSON.stringify(PROBES.map((probe) => pre_tokenizer?.pre_tokenize(probe) ?? probe));
}

/** Ids of special tokens and the chat template. */
export function exportedSpecials(
  ids: Readonly<Record<'bos' | 'eos' | 'eot' | 'padding' | 'unknown', number | undefined>>,
  template: string | undefined,
): Record<string, GgufValue> {
  const known = Object.entries(ids).flatMap(([name, id]) =>
    id === undefined ? [] : [[`tokenizer.ggml.${name}_token_id`, count(id)] as const],
  );
  return { ...Object.fromEntries(known), ...(template !== undefined && { 'tokenizer.chat_template': text(template) }) };
}
