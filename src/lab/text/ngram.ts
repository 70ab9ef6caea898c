/** Probability of the next byte, given the bytes before it. */
export interface ByteModel {
  /** Natural log of the probability of each byte of the text after those before it, `[time]`, nats. */
  logprobs(text: Uint8Array): Promise<Float64Array> | Float64Array;
}

/** Taken off every count, and given to the shorter context (absolute discounting; Ney, Essen & Kneser 1994). */
const DISCOUNT = 0.75;

type Context = { readonly counts: Map<number, number>; total: number };

/**
 * A byte n-gram model with interpolated absolute discounting: the probability of a byte is what is left of its count in the
 * longest context, plus what was taken off times its probability in the context that is one byte shorter; below all lies
 * the uniform distribution over 256 bytes.
 */
export class ByteNgram implements ByteModel {
  readonly #order: number;
  readonly #online: boolean;
  /** By length of the context in bytes; a context of up to 5 bytes is a whole number below 2^40. */
  readonly #contexts: readonly Map<number, Context>[];

  /** @param order bytes looked at, the next one included: 1 to 6. @param online learns from what it has just scored. */
  constructor(order: number, { online = false }: { readonly online?: boolean } = {}) {
    this.#order = order;
    this.#online = online;
    this.#contexts = Array.from({ length: order }, () => new Map());
  }

  learn(text: Uint8Array): void {
    for (let at = 0; at < text.length; at++) this.#count(text, at);
  }

  logprobs(text: Uint8Array): Float64Array {
    const logprobs = new Float64Array(text.length);
    for (let at = 0; at < text.length; at++) {
      logprobs[at] = Math.log(this.#probability(text, at, text[at] ?? 0));
      if (this.#online) this.#count(text, at);
    }
    return logprobs;
  }

  /** Probabilities of all 256 bytes at a place, `[256]`; learns nothing. */
  distribution(text: Uint8Array, at: number): Float64Array {
    return Float64Array.from({ length: 256 }, (_, byte) => this.#probability(text, at, byte));
  }

  /** Learns the byte at a place from those before it. */
  see(text: Uint8Array, at: number): void {
    this.#count(text, at);
  }

  #count(text: Uint8Array, at: number): void {
    const byte = text[at] ?? 0;
    for (let length = 0; length < this.#order && length <= at; length++) {
      const contexts = this.#contexts[length] as Map<number, Context>; // one for each length
      const key = keyOf(text, at, length);
      const context = contexts.get(key) ?? { counts: new Map<number, number>(), total: 0 };
      contexts.set(key, context);
      context.counts.set(byte, (context.counts.get(byte) ?? 0) + 1);
      context.total++;
    }
  }

  #probability(text: Uint8Array, at: number, byte: number): number {
    let probability = 1 / 256;
    for (let length = 0; length < this.#order && length <= at; length++) {
      const context = this.#contexts[length]?.get(keyOf(text, at, length));
      if (context === undefined) break;
      const { counts, total } = context;
      const own = Math.max(0, (counts.get(byte) ?? 0) - DISCOUNT);
      probability = (own + DISCOUNT * counts.size * probability) / total;
    }
    return probability;
  }
}

/** The bytes of a context as one number, and its length by the map that it is looked up in. */
function keyOf(text: Uint8Array, at: number, length: number): number {
  let key = 0;
  for (let back = length; back > 0; back--) key = key * 256 + (text[at - back] ?? 0);
  return key;
}
