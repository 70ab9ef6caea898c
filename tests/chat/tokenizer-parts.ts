/** @file Every kind of normalizer, pre-tokenizer and decoder, and texts that tell their versions apart. */

export const TEXTS: readonly string[] = [
  'Hello world', "it's 12 + 30 = 42\n\nyes", '  two  spaces ', 'l\n\ne!', '\n', 'a ½ b² c³ ٣٤ ⅷ 12345678', "don't YOU'LL we'Re 'ſ K",
  'tabs\t\tand  \n  mixed \r\n lines\r', 'Hello!!! ... (what?) [x] «q» —–-', 'a\u00a0b\u2003c\u3000d\u200be\ufefff\u0085g\u001ch\u2028',
  'e\u0301 vs é ﬁ Å Å', '👨‍👩‍👧 👍🏽', 'नमस्ते दुनिया', 'ΑΣ İ ß ǅ', '한국어 漢字かな123テスト', 'aaaa ab abab fooBAR x_y-z $5', '▁ ▁▁ _', '- -1 --', 'ab\n ab\n\n\nab', '!?!a!',
]; // biome-ignore format: one list

const BEHAVIORS = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];
const SPLITS = [
  { String: ' ' },
  { String: '-' },
  { String: 'ab' },
  { Regex: '\\d+|[a-z]{2}' },
  { Regex: '(a|b)(\\s)?' },
  { Regex: '(?=\\d)' },
];
const GPT4 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}+| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const EXPRESSIONS = [
  GPT4, '\\s++(?!\\S)|\\s+|\\S+', '(?>\\s+)(?!\\S)|[a-z]++\\n|.', 'l\\n*+\\n', 'a?+a', '(?:a|b)*+b', '(?>a|ab)c|b', '((?>a+))', '\\w+|[^\\w\\s]+', '[\\w]', '[^\\w]',
  '\\p{Word}+', '\\h+', '^a|e$', '.', '\\p{Han}+|\\p{Script=Latin}', '[\\p{L}&&[^a-z]]+', '(?i:ab|k|s)', '(?i)hello', '[^(\\s|[.,!?…。，、।۔،])]+', '(?<=a)b', '',
  '\\x{65}|\\u0061', '\\A.|.\\z', '[[:punct:]]', '[[:alpha:]]+', '[[:^digit:]]', 'a{,2}', '(?<x>a)\\k<x>', '\\p{P}', '\\S+', '[^\\S]',
  '\\b', '\\W', '\\X', '\\G', '(?m:.)+', '\\p{^L}', '(?i:ß)',
]; // biome-ignore format: one list

const byteLevel = (add_prefix_space: boolean, use_regex: boolean) => ({
  type: 'ByteLevel',
  add_prefix_space,
  trim_offsets: true,
  use_regex,
});
const metaspace = (prepend_scheme: string, split: boolean) => ({
  type: 'Metaspace',
  replacement: '▁',
  prepend_scheme,
  split,
});
const split = (pattern: object, behavior: string, invert: boolean) => ({ type: 'Split', pattern, behavior, invert });
const BOTH = [true, false];

export const PRE_TOKENIZERS: readonly object[] = [
  ...BEHAVIORS.map((behavior) => ({ type: 'Punctuation', behavior })),
  ...BOTH.map((individual_digits) => ({ type: 'Digits', individual_digits })),
  { type: 'Whitespace' },
  { type: 'WhitespaceSplit' },
  { type: 'BertPreTokenizer' },
  { type: 'CharDelimiterSplit', delimiter: '-' },
  { type: 'UnicodeScripts' },
  { type: 'FixedLength', length: 3 },
  ...['always', 'first', 'never'].flatMap((scheme) => BOTH.map((one) => metaspace(scheme, one))),
  { type: 'Metaspace', replacement: '▁', add_prefix_space: true },
  { type: 'Metaspace', replacement: '▁', add_prefix_space: false },
  { type: 'Metaspace', replacement: '_', prepend_scheme: 'always', str_rep: '▁' },
  ...BOTH.flatMap((prefix) => BOTH.map((regex) => byteLevel(prefix, regex))),
  { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel(false, true)] },
  { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, metaspace('first', true)] },
  { type: 'Sequence', pretokenizers: [{ type: 'Punctuation', behavior: 'Isolated' }, byteLevel(true, true)] },
  ...SPLITS.flatMap((pattern) =>
    BEHAVIORS.flatMap((behavior) => BOTH.map((invert) => split(pattern, behavior, invert))),
  ),
  ...EXPRESSIONS.flatMap((Regex) => [split({ Regex }, 'Isolated', false), split({ Regex }, 'Removed', true)]),
];

export const NORMALIZERS: readonly object[] = [
  ...['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents', 'Nmt', 'ByteLevel'].map((type) => ({ type })),
  { type: 'Prepend', prepend: '▁' },
  ...BOTH.flatMap((strip_left) => BOTH.map((strip_right) => ({ type: 'Strip', strip_left, strip_right }))),
  ...BOTH.flatMap((clean_text) => BOTH.flatMap((handle_chinese_chars) => [true, false, null].flatMap((strip_accents) =>
    BOTH.map((lowercase) => ({ type: 'BertNormalizer', clean_text, handle_chinese_chars, strip_accents, lowercase }))))),
  { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
  { type: 'Replace', pattern: { String: '$' }, content: '$$' },
  { type: 'Replace', pattern: { Regex: ' {2,}' }, content: '$&$$' },
  { type: 'Replace', pattern: { Regex: '(a)|\\d' }, content: '\\1x' },
  { type: 'Sequence', normalizers: [{ type: 'Strip', strip_left: true, strip_right: true }, { type: 'Prepend', prepend: '▁' }] },
  { type: 'Sequence', normalizers: [{ type: 'NFD' }, { type: 'StripAccents' }] },
]; // biome-ignore format: one kind a line

/** Tokens that decoders change, each its own id. */
export const TOKENS: readonly string[] = [
  'a', 'b', '##c', '▁d', '▁', 'e</w>', '<0xE2>', '<0x82>', '<0xAC>', '<0x41>', '<0xZZ>', 'Ã©', 'Ã', '|', "n't", '.', "'s", 'g', 'é', '<s>', '@@', '!', '##', '日',
]; // biome-ignore format: one list

export const DECODERS: readonly (object | null)[] = [
  null,
  byteLevel(true, true),
  { type: 'WordPiece', prefix: '##', cleanup: true },
  { type: 'WordPiece', prefix: '@@', cleanup: false },
  ...['always', 'first', 'never'].map((scheme) => metaspace(scheme, true)),
  { type: 'BPEDecoder', suffix: '</w>' },
  { type: 'CTC', pad_token: '<s>', word_delimiter_token: '|', cleanup: true },
  { type: 'Fuse' },
  { type: 'ByteFallback' },
  { type: 'Replace', pattern: { Regex: '[a-c]+' }, content: '$&$$' },
  { type: 'Sequence', decoders: [{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }, { type: 'Strip', content: ' ', start: 1, stop: 0 }] },
  { type: 'Sequence', decoders: [{ type: 'ByteFallback' }, metaspace('always', true)] },
]; // biome-ignore format: one decoder a line

/** A whole `tokenizer.json` around some parts. */
export const tokenizerAround = (parts: object): object => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
  ...parts,
});

/** A tokenizer of every character by its bytes, some pairs merged. */
export const byteModel = (): { type: string; vocab: Record<string, number>; merges: [string, string][]; unk_token: null } => {
  const bytes = Array.from({ length: 256 }, (_, byte) => ((byte > 32 && byte < 127) || (byte > 160 && byte !== 173) ? byte : -1));
  let strange = 256;
  const alphabet = bytes.map((byte) => String.fromCharCode(byte < 0 ? strange++ : byte));
  const merges: [string, string][] = [['Ġ', 'Ġ'], ['a', 'b'], ['Ċ', 'Ċ'], ['1', '2'], ['!', '!'], ['Ġ', 'a'], ['Ġa', 'b'], ['l', 'Ċ'], ['_', '_'], ['__', 'p']];
  const tokens = [...alphabet, ...merges.map(([left, right]) => left + right)];
  return { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges, unk_token: null };
}; // biome-ignore format: the merges are one list

const BYTES = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
const SENTENCE_TOKENS = [
  '<unk>',
  '<s>',
  '</s>',
  ...BYTES,
  ...'▁abcx12!_t',
  '▁▁',
  '▁a',
  'ab',
  '▁ab',
  'ca',
  'cat',
  '▁cat',
];

/** As SentencePiece makes them: blanks are a sign, what is unknown is spelled in bytes. */
export const sentenceModel = (): object => ({
  type: 'BPE',
  vocab: Object.fromEntries(SENTENCE_TOKENS.map((token, id) => [token, id])),
  merges: [['▁', '▁'], ['▁', 'a'], ['a', 'b'], ['▁a', 'b'], ['c', 'a'], ['ca', 't'], ['▁', 'cat']],
  unk_token: '<unk>',
  fuse_unk: true,
  byte_fallback: true,
}); // biome-ignore format: the merges are one list

const ADDED = ['<A>', '<B>', '<BB>', 'cat', '\n', 'ﬁ'];

/** Added tokens whose four switches are the bits of a number. */
const addedTokens = (first: number, bits: number): object[] =>
  ADDED.map((content, at) => {
    const bit = (place: number): boolean => (((bits * (at + 3)) >> place) & 1) === 1;
    return { id: first + at, content, single_word: bit(0), lstrip: bit(1), rstrip: bit(2), normalized: bit(3), special: bit(4) };
  }); // biome-ignore format: one token a line

export const ADDED_TEXTS: readonly string[] = [
  'a <A>  b', '<A><B> <BB>x<B', ' cat Cat cats the cat. _cat', 'x\n<A>\n y\n\n', 'ﬁ ﬁn \t<A>\tab', '<A> ab', '  <BB>  ', 'é<A>é ab<B>12!', '__proto__', '',
]; // biome-ignore format: one list

const NORMALIZED: readonly (object | null)[] = [null, { type: 'NFKC' }, { type: 'NFC' }, { type: 'Lowercase' }];
const SENTENCE_STYLES: readonly object[] = [
  { normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, { type: 'Replace', pattern: { String: ' ' }, content: '▁' }] }, decoder: DECODERS[12] },
  { pre_tokenizer: metaspace('first', false), decoder: metaspace('first', false) },
  { pre_tokenizer: metaspace('always', true), decoder: metaspace('always', true) },
  { normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' }, pre_tokenizer: split({ String: ' ' }, 'MergedWithPrevious', false), decoder: DECODERS[12] },
]; // biome-ignore format: one style a line

/** Whole tokenizers: byte-level and SentencePiece ones with added tokens of all kinds, and one with the token `__proto__`. */
export function wholeTokenizers(): object[] {
  const bytes = Array.from({ length: 24 }, (_, at) => {
    const parts = { normalizer: NORMALIZED[at % 4], pre_tokenizer: byteLevel(false, true), decoder: byteLevel(false, true) };
    const model = byteModel();
    return tokenizerAround({ ...parts, model, added_tokens: addedTokens(Object.keys(model.vocab).length, at * 7 + 1) });
  });
  const sentences = Array.from({ length: 24 }, (_, at) => {
    const added = addedTokens(SENTENCE_TOKENS.length, at * 5 + 2).filter((_one, nth) => nth < 3);
    return tokenizerAround({ ...SENTENCE_STYLES[at % 4], model: sentenceModel(), added_tokens: added });
  });
  const proto = byteModel();
  const merges: [string, string][] = [['__p', 'r'], ['__pr', 'o'], ['__pro', 't'], ['__prot', 'o'], ['__proto', '__']];
  const vocab = Object.fromEntries([...Object.keys(proto.vocab), ...merges.map(([left, right]) => left + right)].map((one, id) => [one, id]));
  const model = { ...proto, vocab, merges: [...proto.merges, ...merges] };
  return [...bytes, ...sentences, tokenizerAround({ model, pre_tokenizer: byteLevel(false, false), decoder: byteLevel(false, true) })];
} // biome-ignore format: one kind a statement
