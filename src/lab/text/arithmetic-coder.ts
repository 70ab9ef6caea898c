/**
 * @file Arithmetic coding (Witten, Neal & Cleary 1987) with 32-bit bounds: turns the probabilities of a model into a file of
 * that many bits, and back, bit for bit. The model's distributions are rounded to whole frequencies first, so that coder
 * and decoder cannot differ.
 */

const TOP = 2 ** 32;
const HALF = TOP / 2;
const QUARTER = TOP / 4;
/** Sum of the frequencies of a distribution: far below {@link QUARTER}, so that no symbol vanishes. */
const SCALE = 2 ** 16;

/** Whole frequencies of all symbols, each at least 1: cumulative, `[symbols + 1]`. */
export function cumulative(distribution: ArrayLike<number>): Uint32Array {
  const sums = new Uint32Array(distribution.length + 1);
  const room = SCALE - distribution.length;
  for (let symbol = 0; symbol < distribution.length; symbol++) {
    sums[symbol + 1] = (sums[symbol] ?? 0) + 1 + Math.floor((distribution[symbol] ?? 0) * room);
  }
  return sums;
}

export class ArithmeticEncoder {
  #low = 0;
  #high = TOP - 1;
  #pending = 0;
  readonly #bits: number[] = [];

  encode(sums: Uint32Array, symbol: number): void {
    [this.#low, this.#high] = narrowed(this.#low, this.#high, sums, symbol);
    for (let step = commonStep(this.#low, this.#high); step !== undefined; step = commonStep(this.#low, this.#high)) {
      if (step === 'middle') this.#pending++;
      else this.#put(step === 'high' ? 1 : 0);
      const taken = step === 'low' ? 0 : step === 'high' ? HALF : QUARTER;
      this.#low = 2 * (this.#low - taken);
      this.#high = 2 * (this.#high - taken) + 1;
    }
  }

  /** Ends the text. */
  finish(): Uint8Array {
    this.#pending++;
    this.#put(this.#low < QUARTER ? 0 : 1);
    const bytes = new Uint8Array(Math.ceil(this.#bits.length / 8));
    this.#bits.forEach((bit, at) => {
      bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (bit << (7 - (at & 7)));
    });
    return bytes;
  }

  #put(bit: number): void {
    this.#bits.push(bit);
    for (; this.#pending > 0; this.#pending--) this.#bits.push(1 - bit);
  }
}

export class ArithmeticDecoder {
  readonly #bytes: Uint8Array;
  #at = 0;
  #low = 0;
  #high = TOP - 1;
  #value = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    for (let bit = 0; bit < 32; bit++) this.#value = 2 * this.#value + this.#next();
  }

  decode(sums: Uint32Array): number {
    const total = sums.at(-1) ?? 1;
    const range = this.#high - this.#low + 1;
    const place = Math.floor(((this.#value - this.#low + 1) * total - 1) / range);
    const symbol = sums.findLastIndex((sum) => sum <= place);
    [this.#low, this.#high] = narrowed(this.#low, this.#high, sums, symbol);
    for (let step = commonStep(this.#low, this.#high); step !== undefined; step = commonStep(this.#low, this.#high)) {
      const taken = step === 'low' ? 0 : step === 'high' ? HALF : QUARTER;
      this.#low = 2 * (this.#low - taken);
      this.#high = 2 * (this.#high - taken) + 1;
      this.#value = 2 * (this.#value - taken) + this.#next();
    }
    return symbol;
  }

  #next(): number {
    const bit = ((this.#bytes[this.#at >> 3] ?? 0) >> (7 - (this.#at & 7))) & 1;
    this.#at++;
    return bit;
  }
}

/** All products stay below 2^53. */
function narrowed(low: number, high: number, sums: Uint32Array, symbol: number): [number, number] {
  const range = high - low + 1;
  const total = sums.at(-1) ?? 1;
  return [
    low + Math.floor((range * (sums[symbol] ?? 0)) / total),
    low + Math.floor((range * (sums[symbol + 1] ?? total)) / total) - 1,
  ];
}

/** Which half the two bounds share, or that they straddle the middle closely. */
function commonStep(low: number, high: number): 'low' | 'high' | 'middle' | undefined {
  if (high < HALF) return 'low';
  if (low >= HALF) return 'high';
  return low >= QUARTER && high < HALF + QUARTER ? 'middle' : undefined;
}
