import { readFileSync, writeFileSync } from 'node:fs';
import { WORDS } from '../src/problems/words.ts';
import { stream } from '../src/random.ts';
import { drawDocument } from '../src/texts/base-text.ts';
import { wordsTextSchema } from '../src/texts/words-text.ts';

/**
 * Trains the tokenizer of a model in words: `npx tsx bench/words-tokenizer.ts models/words`.
 *
 * A byte-level BPE in two stages (after SuperBPE, Liu et al. 2025, arXiv 2503.13423): first within words, then across
 * them within a line, because the same phrases come in every document. Numbers are digits, the first with its sign.
 * Same text, same file.
 */

const SPECIAL = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];
const DOCUMENTS = 3000;
/** Merges within words end where a pair is rarer than this; then so many across words. */
const RAREST = 60;
const PHRASES = 250;

/** A number's first digit with its sign and, where it says what something is, the word before it: a value then stands right behind its word. */
const NUMBER = '(?: is| =)? -?\\d|-?\\d';
/** What the finished tokenizer never merges across: numbers, ends of sentences and lines, colons (work is left open there). */
const CHUNK = `${NUMBER}|[^\\d\\n]+?(?:\\n+|(?<=:)|(?<=\\.)(?= )|(?=${NUMBER})|$)|\\n+`;
/** Nor are phrases learnt that hold a word of a dictionary or a verdict: it would be another token in the next phrase. */
const APART = ` (?:${[...WORDS, 'right', 'wrong', 'none'].join('|')})(?![a-z])`;
const PHRASE = `${APART}|${CHUNK.replace('|$)', `|(?=${APART})|$)`)}`;
const WORD = ` ?-?\\d| ?[A-Za-z]+|[^A-Za-z\\d\\s]+| +(?=[A-Za-z])|\\s+`;

type Piece = { symbols: string[]; readonly count: number };
type Merge = readonly [string, string];

const [folder = 'models/words'] = process.argv.slice(2);
const { baseText } = JSON.parse(readFileSync(`${folder}/unrut.json`, 'utf8'));
const text = wordsTextSchema.parse(baseText);
const documents = Array.from({ length: DOCUMENTS }, (_, index) => {
  const passages = drawDocument(stream(0, 'tokenizer', index), text);
  return passages.map((passage) => passage.text.replaceAll(/<\|\w+\|>/g, '\n'));
}).flat();

const bytes = byteSymbols();
const merges = learn(cut(documents, WORD), [], () => false, RAREST);
const phrases = learn(cut(documents, PHRASE), merges, (found) => found >= PHRASES, RAREST);
writeTokenizer([...merges, ...phrases]);

/** GPT-2's printable stand-ins for bytes. */
function byteSymbols(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(printable ? byte : next++);
  });
}

function cut(texts: readonly string[], pattern: string): Piece[] {
  const counts = new Map<string, number>();
  for (const one of texts)
    for (const [piece] of one.matchAll(new RegExp(pattern, 'g'))) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  const symbols = (piece: string) => [...Buffer.from(piece)].map((byte) => bytes[byte]!); // a byte has a symbol
  return [...counts].map(([piece, count]) => ({ symbols: symbols(piece), count }));
}

/** The most frequent pair is merged, again and again; of equal ones the first in the alphabet. */
function learn(pieces: Piece[], known: readonly Merge[], enough: (found: number) => boolean, rarest: number): Merge[] {
  for (const merge of known) apply(pieces, merge);
  const found: Merge[] = [];
  while (!enough(found.length)) {
    const best = mostFrequent(pieces, rarest);
    if (best === undefined) return found;
    apply(pieces, best);
    found.push(best);
  }
  return found;
}

function mostFrequent(pieces: readonly Piece[], rarest: number): Merge | undefined {
  const counts = new Map<string, number>();
  for (const { symbols, count } of pieces)
    for (let at = 1; at < symbols.length; at++) {
      const pair = `${symbols[at - 1]} ${symbols[at]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    }
  const [best] = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return best === undefined || best[1] < rarest ? undefined : (best[0].split(' ') as [string, string]); // joined so above
}

function apply(pieces: readonly Piece[], [left, right]: Merge): void {
  for (const piece of pieces) {
    const { symbols } = piece;
    for (let at = 0; at + 1 < symbols.length; at++)
      if (symbols[at] === left && symbols[at + 1] === right) symbols.splice(at, 2, left + right);
  }
}

function writeTokenizer(all: readonly Merge[]): void {
  const vocabulary = [...SPECIAL, ...bytes, ...new Set(all.map((merge) => merge.join('')))];
  const added = SPECIAL.map((content, id) => {
    return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  });
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: CHUNK }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
      merges: all,
    },
  };
  writeFileSync(`${folder}/tokenizer.json`, `${JSON.stringify(tokenizer, null, 1)}\n`);
  process.stdout.write(`${folder}/tokenizer.json: ${vocabulary.length} tokens\n`);
}
