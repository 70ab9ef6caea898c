import { z } from 'zod';
import { type Metadata, wholeNumber } from '../../engine/local/files/gguf/metadata.ts';
import { tokenizerModel } from './tokenizer-models.ts';
import { readTokens, TOKEN_KIND, type Token } from './tokens.ts';

/** @file The tokenizer, the chat template and the stop tokens of a GGUF file, as the files of a Hugging Face folder. */

export type ImportedTokenizer = {
  /** Content of each file by name. */
  readonly files: Readonly<Record<string, unknown>>;
  readonly hasTemplate: boolean;
};

/** @throws ModelError naming the tokenizer where it is not supported. */
export function importedTokenizer(metadata: Metadata): ImportedTokenizer {
  const tokens = readTokens(metadata);
  const model = tokenizerModel(metadata, tokens);
  const addsBeginning = metadata.find('tokenizer.ggml.add_bos_token', z.boolean()) ?? model.addsBeginning;
  const config = tokenizerConfig(metadata, tokens, addsBeginning);
  const files = {
    'tokenizer.json': {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: addedTokens(tokens),
      ...model.json,
      post_processor: addsBeginning ? beginning(metadata, tokens) : null,
    },
    'tokenizer_config.json': config,
    'generation_config.json': { ...specialIds(metadata), eos_token_id: stopIds(metadata, tokens) },
  };
  return { files, hasTemplate: 'chat_template' in config };
}

/** Tokens that are looked for in a text before it is cut: special ones, and those that were added to the vocabulary. */
function addedTokens(tokens: readonly Token[]): Record<string, unknown>[] {
  const added = tokens.filter(({ kind }) => kind >= TOKEN_KIND.unknown && kind <= TOKEN_KIND.userDefined);
  const how = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  return added.map(({ id, text, kind }) => ({ id, content: text, ...how, special: kind !== TOKEN_KIND.userDefined }));
}

/** What Python puts in front of a text that no template wrote. */
function beginning(metadata: Metadata, tokens: readonly Token[]): Record<string, unknown> | null {
  const first = tokens.find(({ id }) => id === specialId(metadata, 'bos'));
  if (first === undefined) return null;
  const special = { SpecialToken: { id: first.text, type_id: 0 } };
  return {
    type: 'TemplateProcessing',
    single: [special, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [special, { Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 0 } }],
    special_tokens: { [first.text]: { id: first.text, ids: [first.id], tokens: [first.text] } },
  };
}

const SPECIAL = ['bos', 'eos', 'pad', 'unk'] as const;

/** What Hugging Face and llama.cpp call alike; llama.cpp knows the first ids of every SentencePiece vocabulary. */
function specialId(metadata: Metadata, name: (typeof SPECIAL)[number]): number | undefined {
  const key = { bos: 'bos', eos: 'eos', pad: 'padding', unk: 'unknown' }[name];
  const pieces = metadata.find('tokenizer.ggml.model', z.string()) === 'llama';
  const usual = pieces ? { bos: 1, eos: 2, pad: undefined, unk: 0 }[name] : undefined;
  return metadata.find(`tokenizer.ggml.${key}_token_id`, wholeNumber) ?? usual;
}

function tokenizerConfig(
  metadata: Metadata,
  tokens: readonly Token[],
  addsBeginning: boolean,
): Record<string, unknown> {
  const texts = new Map(tokens.map(({ id, text }) => [id, text]));
  const special = SPECIAL.map((name) => [`${name}_token`, texts.get(specialId(metadata, name) ?? -1) ?? null]);
  const template = metadata.find('tokenizer.chat_template', z.string());
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    add_bos_token: addsBeginning,
    clean_up_tokenization_spaces: false,
    ...Object.fromEntries(special),
    ...(template !== undefined && { chat_template: template }),
  };
}

/** Ids that `config.json` has, too. */
export function specialIds(metadata: Metadata): Record<string, number | null> {
  const names = SPECIAL.filter((name) => name !== 'unk');
  return Object.fromEntries(names.map((name) => [`${name}_token_id`, specialId(metadata, name) ?? null]));
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
  const turn = ['eot', 'eom'].map((name) => metadata.find(`tokenizer.ggml.${name}_token_id`, wholeNumber));
  const named = [specialId(metadata, 'eos'), ...turn];
  const ends = tokens.filter(({ text, kind }) => kind === TOKEN_KIND.control && ENDS.has(text)).map(({ id }) => id);
  return [...new Set([...named, ...ends])].filter((id) => id !== undefined);
}
