import type { Outcome } from '../../stats/outcome.ts';
import type { Document } from '../text/corpus.ts';
import type { SuffixArray } from '../text/suffix-array.ts';

/** A passage that stands in the training text, word for word. */
export type Passage = {
  readonly text: string;
  readonly length: number;
  readonly document: string;
  readonly at: number;
};

/** Mean over its places of the longest match with the training text, in bytes: one outcome a sample. */
export function longestMatches(index: SuffixArray, samples: readonly Document[]): Outcome[] {
  return samples.map(({ name, bytes }) => {
    const query = Buffer.from(bytes);
    const lengths = Array.from(query, (_, at) => index.longestMatch(query, at).length);
    return {
      problem: name,
      numerator: lengths.reduce((sum, length) => sum + length, 0),
      denominator: Math.max(1, lengths.length),
    };
  });
}

/** The words of a text, as people count them. */
const wordsOf = (bytes: Uint8Array): string[] =>
  new TextDecoder()
    .decode(bytes)
    .toLowerCase()
    .match(/[\p{L}\p{N}']+/gu) ?? [];

/** All word n-grams of a text. */
export function gramsOf(bytes: Uint8Array, n: number): string[] {
  const words = wordsOf(bytes);
  return Array.from({ length: Math.max(0, words.length - n + 1) }, (_, at) => words.slice(at, at + n).join(' '));
}

/** Share of word n-grams that the training text does not have: one outcome a sample. */
export function novelty(known: ReadonlySet<string>, samples: readonly Document[], n: number): Outcome[] {
  return samples.map(({ name, bytes }) => {
    const grams = gramsOf(bytes, n);
    return { problem: name, numerator: grams.filter((gram) => !known.has(gram)).length, denominator: grams.length };
  });
}

/** The longest passages of samples that stand in the training documents, longest first, none inside another. */
export function passages(
  index: SuffixArray,
  train: readonly Document[],
  samples: readonly Document[],
  least: number,
): Passage[] {
  const found = samples.flatMap(({ bytes }) => {
    const query = Buffer.from(bytes);
    const own: Passage[] = [];
    for (let at = 0; at < query.length; ) {
      const match = index.longestMatch(query, at);
      if (match.length >= least)
        own.push({
          ...placeOf(train, match.at),
          length: match.length,
          text: query.toString('utf8', at, at + match.length),
        });
      at += match.length >= least ? match.length : 1;
    }
    return own;
  });
  return found.sort((a, b) => b.length - a.length);
}

/** The document that holds a place of the training text as it is looked up. */
function placeOf(train: readonly Document[], place: number): { document: string; at: number } {
  let start = 0;
  for (const { name, bytes } of train) {
    if (place <= start + bytes.length) return { document: name, at: place - start };
    start += bytes.length + 1; // its end
  }
  return { document: 'the end', at: 0 };
}
