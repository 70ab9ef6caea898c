/** Matches longer than this are not told apart: a passage of this length is copied by any account. */
const LONGEST = 512;

/** A passage of a text that stands in another, too. */
export type Match = { readonly length: number; readonly at: number };

/** Every suffix of a text in order (Manber & Myers 1993), for look-ups of the longest match. */
export class SuffixArray {
  readonly #text: Buffer;
  readonly #order: Uint32Array;

  constructor(text: Uint8Array) {
    this.#text = Buffer.from(text.buffer, text.byteOffset, text.length);
    this.#order = Uint32Array.from({ length: text.length }, (_, at) => at);
    this.#order.sort((a, b) => this.#compare(this.#text, a, b));
  }

  /** The longest passage of the text that `query` has from a place on. */
  longestMatch(query: Buffer, from: number): Match {
    const place = this.#place(query, from);
    const before = this.#matchAt(query, from, place - 1);
    const behind = this.#matchAt(query, from, place);
    return before.length > behind.length ? before : behind;
  }

  /** All places at which `length` bytes of `query` from a place on stand in the text, as a range of {@link suffixAt}. */
  range(query: Buffer, from: number, length: number): readonly [number, number] {
    const sign = (index: number) => this.#signOf(query, from, length, index);
    return [this.#first((index) => sign(index) >= 0), this.#first((index) => sign(index) > 0)];
  }

  /** The text's place of the suffix with this rank. */
  suffixAt(rank: number): number {
    return this.#order[rank] ?? 0;
  }

  byteAt(place: number): number | undefined {
    return this.#text[place];
  }

  #signOf(query: Buffer, from: number, length: number, rank: number): number {
    const start = this.suffixAt(rank);
    return this.#text.compare(query, from, from + length, start, Math.min(start + length, this.#text.length));
  }

  /** The first rank for which a condition holds that holds from some rank on. */
  #first(holds: (rank: number) => boolean): number {
    let [low, high] = [0, this.#order.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(middle)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #place(query: Buffer, from: number): number {
    return this.#first((rank) => this.#compare(query, this.suffixAt(rank), from) >= 0);
  }

  /** A suffix of the text against one of another text. */
  #compare(other: Buffer, a: number, b: number): number {
    const [endA, endB] = [Math.min(a + LONGEST, this.#text.length), Math.min(b + LONGEST, other.length)];
    return this.#text.compare(other, b, endB, a, endA);
  }

  #matchAt(query: Buffer, from: number, rank: number): Match {
    if (rank < 0 || rank >= this.#order.length) return { length: 0, at: 0 };
    const at = this.suffixAt(rank);
    let length = 0;
    while (length < LONGEST && from + length < query.length && this.#text[at + length] === query[from + length])
      length++;
    return { length, at };
  }
}
