import type { OnToken, Sampler, SamplingParams, TokenIds } from '../../engine/engine.ts';
import type { FairQueue } from './fair-queue.ts';

/** A sampler that waits for its turn. */
export class SharedSampler implements Sampler {
  readonly #inner: Sampler;
  readonly #take: <Result>(work: () => Promise<Result>) => Promise<Result>;

  /** @param name of the lane, the same for all samplers that share one. @param width calls that may run side by side. */
  constructor(inner: Sampler, turns: FairQueue, name: string, width: number) {
    this.#inner = inner;
    this.#take = (work) => turns.take(name, width, work);
  }

  sample(prompts: readonly TokenIds[], how: SamplingParams, onToken?: OnToken) {
    return this.#take(() => this.#inner.sample(prompts, how, onToken));
  }

  logprobs(sequences: readonly TokenIds[]) {
    return this.#take(() => this.#inner.logprobs(sequences));
  }

  topLogprobs(sequences: readonly TokenIds[], k: number, from?: readonly number[]) {
    return this.#take(() => this.#inner.topLogprobs(sequences, k, from));
  }
}
