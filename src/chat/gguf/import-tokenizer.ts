import { z } from 'zod';
import { type Metadata, wholeNumber } from '../../engine/local/files/gguf/metadata.ts';
import { ModelError } from '../../errors.ts';
import { BYTE_LEVEL, PRE_TOKENIZERS, type PreTokenizer, preTokenizerJson } from './pre-tokenizers.ts';
import { TOKEN_KIND } from './token-kind.ts';

/** @file The tokenizer, the chat template and the stop tokens of a GGUF file, as the files of a Hugging Face folder. */

/** What fills up the rows of the embedding that no token has. */
const PADDING = /^\[PAD\d+\]$/;

type Token = { readonly id: number; readonly text: string; readonly kind: number };

export type ImportedTokenizer = {
  /** Content of each file by name. */
  readonly files: Readonly<Record<string, unknown>>;
  readonly hasTemplate: boolean;
};

/** @throws ModelError naming the tokenizer where it is not one that can be had exactly. */
export function importedTokenizer(metadata: Metadata): ImportedTokenizer {
  const tokens = readTokens(metadata);
  const config = tokenizerConfig(metadata, tokens);
  const files = {
    'tokenizer.json': tokenizerJson(metadata, tokens),
    'tokenizer_config.json': config,
    'generation_config.json': { ...specialIds(metadata), eos_token_id: stopIds(metadata, tokens) },
  };
  return { files, hasTemplate: 'chat_template' in config };
}

function readTokens(metadata: Metadata): Token[] {
  const model = metadata.read('tokenizer.ggml.model', z.string());
  if (model !== 'gpt2') {
    throw new ModelError(`${metadata.path}: tokenizer.ggml.model is "${model}"; supported is "gpt2" (byte-level BPE)`);
  }
  const texts = metadata.read('tokenizer.ggml.tokens', z.array(z.string()));
  const kinds = metadata.find('tokenizer.ggml.token_type', z.array(z.number())) ?? [];
  const tokens = texts.map((text, id) => ({ id, text, kind: kinds[id] ?? TOKEN_KIND.normal }));
  const last = new Map(texts.map((text, id) => [text, id]));
  const twice = texts.find((text, id) => last.get(text) !== id);
  if (twice !== undefined) throw new ModelError(`${metadata.path}: the token ${JSON.stringify(twice)} has two ids`);
  return tokens.filter(({ text, kind }) => !(kind === TOKEN_KIND.unused && PADDING.test(text)));
}

function tokenizerJson(metadata: Metadata, tokens: readonly Token[]): Record<string, unknown> {
  const rule = preTokenizer(metadata);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(tokens),
    normalizer: null,
    pre_tokenizer: preTokenizerJson(rule),
    post_processor: beginning(metadata, tokens),
    decoder: BYTE_LEVEL,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: rule.ignoreMerges ?? false,
      vocab: Object.fromEntries(tokens.map(({ text, id }) => [text, id])),
      merges: metadata.read('tokenizer.ggml.merges', z.array(z.string())).map(pairOf),
    },
  };
}

function preTokenizer(metadata: Metadata): PreTokenizer {
  const name = metadata.find('tokenizer.ggml.pre', z.string()) ?? 'default';
  const found = PRE_TOKENIZERS.get(name);
  if (found !== undefined) return found;
  const known = [...PRE_TOKENIZERS.keys()].join(', ');
  throw new ModelError(
    `${metadata.path}: tokenizer.ggml.pre is "${name}"; supported are ${known}. ` +
      "Take the model's Hugging Face folder, which has a tokenizer.json",
  );
}

/** The first blank behind the first character parts the two: a token may be a blank itself. */
function pairOf(merge: string): [string, string] {
  const at = merge.indexOf(' ', 1);
  return [merge.slice(0, at), merge.slice(at + 1)];
}

/** Tokens that are looked for in a text before it is cut: special ones, and those that were added to the vocabulary. */
function addedTokens(tokens: readonly Token[]): Record<string, unknown>[] {
  const added = tokens.filter(({ kind }) => kind >= TOKEN_KIND.unknown && kind <= TOKEN_KIND.userDefined);
  const how = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  return added.map(({ id, text, kind }) => ({ id, content: text, ...how, special: kind !== TOKEN_KIND.userDefined }));
}

/** What Python puts in front of a text that no template wrote. */
function beginning(metadata: Metadata, tokens: readonly Token[]): Record<string, unknown> | null {
  const first = tokens.find(({ id }) => id === metadata.find('tokenizer.ggml.bos_token_id', wholeNumber));
  if (first === undefined || !addsBeginning(metadata)) return null;
  const special = { SpecialToken: { id: first.text, type_id: 0 } };
  return {
    type: 'TemplateProcessing',
    single: [special, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [special, { Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 0 } }],
    special_tokens: { [first.text]: { id: first.text, ids: [first.id], tokens: [first.text] } },
  };
}

/** llama.cpp's own default where the file does not say. */
function addsBeginning(metadata: Metadata): boolean {
  const said = metadata.find('tokenizer.ggml.add_bos_token', z.boolean());
  return said ?? preTokenizer(metadata).ignoreMerges ?? false;
}

const SPECIAL = { bos: 'bos', eos: 'eos', pad: 'padding', unk: 'unknown' } as const;

function tokenizerConfig(metadata: Metadata, tokens: readonly Token[]): Record<string, unknown> {
  const texts = new Map(tokens.map(({ id, text }) => [id, text]));
  const special = Object.entries(SPECIAL).map(([name, key]) => {
    const id = metadata.find(`tokenizer.ggml.${key}_token_id`, wholeNumber);
    return [`${name}_token`, id === undefined ? null : (texts.get(id) ?? null)];
  });
  const template = metadata.find('tokenizer.chat_template', z.string());
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    add_bos_token: addsBeginning(metadata),
    clean_up_tokenization_spaces: false,
    ...Object.fromEntries(special),
    ...(template !== undefined && { chat_template: template }),
  };
}

/** Ids that `config.json` has, too. */
export function specialIds(metadata: Metadata): Record<string, number | null> {
  return Object.fromEntries(
    (['bos', 'eos', 'pad'] as const).map((name) => [
      `${name}_token_id`,
      metadata.find(`tokenizer.ggml.${SPECIAL[name]}_token_id`, wholeNumber) ?? null,
    ]),
  );
}

/** Control tokens that end a turn in the formats people have; files often name but one of two. */
const ENDS = new Set([
  '<|im_end|>',
  '<|eot_id|>',
  '<|eom_id|>',
  '<|end|>',
  '<|endoftext|>',
  '<|end_of_text|>',
  '<end_of_turn>',
  '</s>',
]);

/** What generation stops at: the end of a text first, then what else the file or its tokens call an end. */
function stopIds(metadata: Metadata, tokens: readonly Token[]): number[] {
  const named = ['eos', 'eot', 'eom'].map((name) => metadata.find(`tokenizer.ggml.${name}_token_id`, wholeNumber));
  const ends = tokens.filter(({ text, kind }) => kind === TOKEN_KIND.control && ENDS.has(text)).map(({ id }) => id);
  return [...new Set([...named, ...ends])].filter((id) => id !== undefined);
}
