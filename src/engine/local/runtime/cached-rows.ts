import { floats, type HostTensor, integers, type Tensors } from './host-tensor.ts';

export type CacheShape = {
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  /** How far layers look back, each way once, in the order of the graph's masks. */
  readonly windows: readonly (number | undefined)[];
};

/** By so many tokens a cache that is full grows. */
const BLOCK = 64;

const HIDDEN = -1e9;

/**
 * Keys and values of rows of unlike length, `[2 layers][rows, keyValueHeads, capacity, size]`: a token's place is its
 * position, what lies behind a row's end is hidden by the mask.
 */
export class CachedRows {
  /** The rows that are here, by the caller's numbers, in the order in which they lie. */
  live: number[] = [];
  readonly #shape: CacheShape;
  /** Tokens of each row. */
  #lengths: number[] = [];
  #capacity = BLOCK;
  #caches: Float32Array[];

  constructor(shape: CacheShape) {
    this.#shape = shape;
    this.#caches = Array.from({ length: 2 * shape.layers }, () => new Float32Array(0));
  }

  /** Empty rows: a prompt looks at nothing but itself. */
  begin(rows: number): void {
    this.#capacity = 1; // the executor refuses empty inputs
    this.live = Array.from({ length: rows }, (_, row) => row);
    this.#lengths = this.live.map(() => 0);
    this.#resize(rows);
  }

  /**
   * Adds rows with the keys and values of a prompt, padded to the longest.
   * @param from by row, which of the prompts. @param fresh `[2 layers, prompts, keyValueHeads, time, size]`.
   * @param lengths of the prompts.
   */
  add(rows: readonly number[], from: readonly number[], fresh: Float32Array, lengths: readonly number[]): void {
    const before = this.live.length;
    this.#makeRoom(Math.max(...lengths) + 1, before + rows.length);
    this.live.push(...rows);
    this.#lengths.push(...from.map((prompt) => lengths[prompt]!));
    rows.forEach((_, nth) => {
      const prompt = from[nth]!;
      this.#copyIn(fresh, lengths.length, Math.max(...lengths), prompt, before + nth, 0, lengths[prompt]!);
    });
  }

  /** One more token of every row. @param fresh `[2 layers, rows, keyValueHeads, 1, size]`. */
  append(fresh: Float32Array): void {
    this.#makeRoom(Math.max(...this.#lengths) + 1, this.live.length);
    this.#lengths = this.#lengths.map((length, row) => {
      this.#copyIn(fresh, this.live.length, 1, row, row, length, 1);
      return length + 1;
    });
  }

  /** Leaves the others where they are, moved together. */
  drop(ended: ReadonlySet<number>): void {
    if (ended.size === 0) return;
    const kept = [...this.live.keys()].filter((row) => !ended.has(this.live[row]!));
    const size = this.#rowSize;
    for (const cache of this.#caches) {
      kept.forEach((row, to) => {
        if (row !== to) cache.copyWithin(to * size, row * size, (row + 1) * size);
      });
    }
    this.live = kept.map((row) => this.live[row]!);
    this.#lengths = kept.map((row) => this.#lengths[row]!);
  }

  /** The step graph's inputs for new tokens of every row, padded to the longest. */
  feeds(tokens: readonly (readonly number[])[]): Tensors {
    const { heads, keyValueHeads, headSize, windows } = this.#shape;
    const time = Math.max(...tokens.map(({ length }) => length));
    const padded = tokens.flatMap((row) => [...row, ...Array<number>(time - row.length).fill(0)]);
    const positions = this.#lengths.flatMap((length) => Array.from({ length: time }, (_, at) => length + at));
    return {
      tokens: integers(padded),
      split: integers([tokens.length, time, heads + 2 * keyValueHeads, headSize]),
      position: integers(positions, [tokens.length, time]),
      wanted: integers(tokens.map(({ length }, row) => row * time + length - 1)),
      parts: integers([this.#capacity, time]),
      ...Object.fromEntries(windows.map((window, nth) => [`mask${nth}`, this.#mask(time, window)])),
      ...this.#cacheFeeds(tokens.length),
    };
  }

  #cacheFeeds(rows: number): Tensors {
    const { keyValueHeads, headSize } = this.#shape;
    const shape = [rows, keyValueHeads, this.#capacity, headSize];
    const used = this.#caches.map((cache) => floats(cache.subarray(0, rows * this.#rowSize), shape));
    return Object.fromEntries(used.map((tensor, nth) => [`${nth % 2 === 0 ? 'keys' : 'values'}${nth >> 1}`, tensor]));
  }

  /** `[rows, 1, group * time, capacity + time]`: hides the cache behind a row's end, later tokens, and those too far back. */
  #mask(time: number, window: number | undefined): HostTensor {
    const { heads, keyValueHeads } = this.#shape;
    const group = heads / keyValueHeads;
    const seen = this.#capacity + time;
    const mask = new Float32Array(this.#lengths.length * group * time * seen).fill(HIDDEN);
    this.#lengths.forEach((length, row) => {
      for (let query = 0; query < group * time; query++) {
        const at = query % time;
        const start = (row * group * time + query) * seen;
        const first = window === undefined ? 0 : Math.max(0, length + at + 1 - window);
        if (first < length) mask.fill(0, start + first, start + length);
        mask.fill(0, start + this.#capacity + Math.max(0, first - length), start + this.#capacity + at + 1);
      }
    });
    return floats(mask, [this.#lengths.length, 1, group * time, seen]);
  }

  get #rowSize(): number {
    return this.#shape.keyValueHeads * this.#capacity * this.#shape.headSize;
  }

  /** Tokens of one row of `fresh` (of so many rows, and so many tokens each) to the place `at` of a row here. */
  #copyIn(fresh: Float32Array, rows: number, time: number, from: number, to: number, at: number, tokens: number): void {
    const { keyValueHeads, headSize } = this.#shape;
    this.#caches.forEach((cache, kind) => {
      for (let head = 0; head < keyValueHeads; head++) {
        const source = ((kind * rows + from) * keyValueHeads + head) * time * headSize;
        const target = ((to * keyValueHeads + head) * this.#capacity + at) * headSize;
        cache.set(fresh.subarray(source, source + tokens * headSize), target);
      }
    });
  }

  /** Grows for this many tokens and rows. */
  #makeRoom(tokens: number, rows: number): void {
    const capacity = Math.max(this.#capacity, BLOCK * Math.ceil(tokens / BLOCK));
    if (capacity === this.#capacity && rows * this.#rowSize <= this.#caches[0]!.length) return;
    const [before, old] = [this.#caches, this.#capacity];
    this.#capacity = capacity;
    this.#resize(rows);
    const { headSize } = this.#shape;
    const strips = this.live.length * this.#shape.keyValueHeads;
    this.#caches.forEach((cache, kind) => {
      for (let strip = 0; strip < strips; strip++) {
        const source = strip * old * headSize;
        cache.set(before[kind]!.subarray(source, source + old * headSize), strip * capacity * headSize);
      }
    });
  }

  #resize(rows: number): void {
    this.#caches = this.#caches.map(() => new Float32Array(rows * this.#rowSize));
  }
}
