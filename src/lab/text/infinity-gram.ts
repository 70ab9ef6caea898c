import type { ByteModel } from './ngram.ts';
import { SuffixArray } from './suffix-array.ts';

/** Longest context that is looked up. */
const CONTEXT = 32;

/** Counted besides what was found, so that no byte has probability zero. */
const PRIOR = 0.5;

/** Places that are read for one context. */
const READ = 4000;

/**
 * A search engine as a language model (Liu et al. 2024, infini-gram): finds the longest end of the context that stands in the
 * training text, and predicts what followed there, mixed with what followed the next shorter ones.
 */
export class InfinityGram implements ByteModel {
  readonly #index: SuffixArray;

  constructor(text: Uint8Array) {
    this.#index = new SuffixArray(text);
  }

  logprobs(text: Uint8Array): Float64Array {
    const query = Buffer.from(text);
    return Float64Array.from(text, (byte, at) => Math.log(this.distribution(query, at)[byte] ?? 0));
  }

  /** Probabilities of the next byte after `query[0..at)`, `[256]`. */
  distribution(query: Buffer, at: number): Float64Array {
    let mixed = new Float64Array(256).fill(1 / 256);
    const longest = this.#longest(query, at);
    for (const length of [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, CONTEXT].filter((one) => one <= longest)) {
      const counts = this.#counts(query, at, length);
      const total = counts.reduce((sum, count) => sum + count, 0);
      if (total > 0)
        mixed = mixed.map((probability, byte) => ((counts[byte] ?? 0) + PRIOR * 4 * probability) / (total + PRIOR * 4));
    }
    return mixed;
  }

  /** The longest end of the context that stands in the text. */
  #longest(query: Buffer, at: number): number {
    let [low, high] = [0, Math.min(CONTEXT, at)];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const [first, end] = this.#index.range(query, at - middle, middle);
      if (end > first) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #counts(query: Buffer, at: number, length: number): Float64Array {
    const counts = new Float64Array(256);
    const [first, end] = this.#index.range(query, at - length, length);
    const stride = Math.max(1, Math.ceil((end - first) / READ));
    for (let rank = first; rank < end; rank += stride) {
      const next = this.#index.byteAt(this.#index.suffixAt(rank) + length);
      if (next !== undefined) counts[next] = (counts[next] ?? 0) + 1;
    }
    return counts;
  }
}
