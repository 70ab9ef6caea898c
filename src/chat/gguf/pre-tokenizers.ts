/**
 * @file How a text is cut into words before byte pairs are merged, by the names that GGUF files have for it. llama.cpp
 * knows the patterns by name (`llama-vocab.cpp`), a file says only the name. Each is held against llama.cpp's own ids in
 * tests/peers/gguf; a name that is not here is refused, for a wrong pattern gives other tokens and says nothing.
 */

/** Applied one after the other to what the one before left; what no pattern takes is a word, too. */
export type PreTokenizer = {
  readonly patterns: readonly string[];
  /** A word that is a token is taken whole, whatever the merges would make of it. */
  readonly ignoreMerges?: true;
};

const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)";

const CONTRACTIONS = "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]";

/** The pattern of Llama 3 and Qwen2, which differ in how many digits are a word. */
const modern = (digits: string): string =>
  `(?:${CONTRACTIONS})|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

const gpt2: PreTokenizer = { patterns: [GPT2] };
const digitwise: PreTokenizer = { patterns: ['\\p{N}', GPT2] };
const llama3: PreTokenizer = { patterns: [modern('\\p{N}{1,3}')], ignoreMerges: true };
const qwen2: PreTokenizer = { patterns: [modern('\\p{N}')] };

const CAPITAL = '(?:(?=\\p{L})[^a-z])';
const SMALL = '(?:(?=\\p{L})[^A-Z])';

/** Words begin at a capital letter; `ending` may follow one. Capitals are ASCII ones, as llama.cpp has it. */
const cased = (digits: string, ending: string): string =>
  `[^\\r\\n\\p{L}\\p{N}]?${CAPITAL}*${SMALL}+${ending}|[^\\r\\n\\p{L}\\p{N}]?${CAPITAL}+${SMALL}*${ending}|` +
  `${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
const gpt4o: PreTokenizer = { patterns: [cased('\\p{N}{1,3}', `(?:${CONTRACTIONS})?`)] };

/** Chinese characters and the two Japanese syllabaries. */
const CHINESE = '[一-龥぀-ゟ゠-ヿ]+';
const deepseek3: PreTokenizer = {
  patterns: [
    '\\p{N}{1,3}',
    CHINESE,
    '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
  ],
};

/** What llama.cpp takes where a file names none. */
const standard: PreTokenizer = {
  patterns: ['[\\p{P}\\$\\+<=>\\^~\\|]+', GPT2, '\\p{N}+', '[0-9][0-9][0-9]'],
};

export const PRE_TOKENIZERS: ReadonlyMap<string, PreTokenizer> = new Map([
  ['default', standard],
  ['gpt-2', gpt2],
  ['phi-2', gpt2],
  ['mpt', gpt2],
  ['olmo', gpt2],
  ['jais', gpt2],
  ['trillion', gpt2],
  ['exaone4', gpt2],
  ['smollm', digitwise],
  ['starcoder', digitwise],
  ['refact', digitwise],
  ['command-r', digitwise],
  ['codeshell', digitwise],
  ['exaone', digitwise],
  ['minerva-7b', digitwise],
  ['llama-bpe', llama3],
  ['llama3', llama3],
  ['llama-v3', llama3],
  ['falcon3', llama3],
  ['lfm2', llama3],
  ['dbrx', { patterns: llama3.patterns }],
  ['smaug-bpe', { patterns: llama3.patterns }],
  ['glm4', { patterns: llama3.patterns }],
  ['chatglm-bpe', { patterns: llama3.patterns }],
  ['qwen2', qwen2],
  ['deepseek-r1-qwen', qwen2],
  ['stablelm2', qwen2],
  ['megrez', qwen2],
  ['hunyuan', qwen2],
  ['gpt-4o', gpt4o],
  ['llama4', gpt4o],
  ['kanana2', gpt4o],
  ['tekken', { patterns: [cased('\\p{N}', '')], ignoreMerges: true }],
  ['deepseek-v3', deepseek3],
  ['hunyuan-dense', deepseek3],
  ['falcon', { patterns: ['[\\p{P}\\$\\+<=>\\^~\\|`]+', GPT2, '[0-9][0-9][0-9]'] }],
]);

/** Bytes as printable characters, which the tokens are spelt in. */
export const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };

/** A rule as `tokenizer.json` has it, for Python's tokenizers and ours. */
export function preTokenizerJson({ patterns }: PreTokenizer): object {
  const splits = patterns.map((Regex) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false }));
  return { type: 'Sequence', pretokenizers: [...splits, BYTE_LEVEL] };
}
