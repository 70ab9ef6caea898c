import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/**
 * A named, seeded stream of random draws. Streams of different names are independent, so adding a draw in one
 * place never moves another: `stream(7, 'reinforce', 'step 12')` gives the same numbers on every machine.
 */
export class Stream {
  readonly #generator: RandomGenerator;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** In [0, 1). */
  uniform(): number {
    return uniformFloat64(this.#generator);
  }

  /** In {0, ..., limit - 1}. */
  integer(limit: number): number {
    return uniformInt(this.#generator, 0, limit - 1);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)] as T; // index is in range by construction
  }

  /** A key drawn in proportion to its share; shares need not sum to one. */
  weighted<K extends string>(shares: Readonly<Record<K, number>>): K {
    const entries = Object.entries(shares) as [K, number][]; // Object.entries forgets the key type
    let left = this.uniform() * entries.reduce((sum, [, share]) => sum + share, 0);
    for (const [key, share] of entries) {
      left -= share;
      if (left < 0) return key;
    }
    return entries.findLast(([, share]) => share > 0)![0];
  }

  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T]; // both in range
    }
    return shuffled;
  }
}

/** The stream of this name under this seed. */
export function stream(seed: number, ...name: readonly (string | number)[]): Stream {
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, ...name]))
    .digest();
  return new Stream(digest.readInt32LE(0));
}
