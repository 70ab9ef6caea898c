import type { Sampler, SamplingParams, TokenIds } from '../../src/engine/engine.ts';

/** Says `a` to the length asked for, when it is let go. */
export class HeldSampler implements Sampler {
  readonly calls: { readonly prompts: readonly TokenIds[]; readonly how: SamplingParams }[] = [];
  readonly #letGo: (() => void)[] = [];
  #held: boolean;

  constructor(held = true) {
    this.#held = held;
  }

  /** Calls that wait, and all later ones, are answered. */
  release(): void {
    this.#held = false;
    for (const go of this.#letGo.splice(0)) go();
  }

  async sample(prompts: readonly TokenIds[], how: SamplingParams) {
    this.calls.push({ prompts, how });
    if (this.#held) await new Promise<void>((go) => this.#letGo.push(go));
    const tokens = Array<number>(how.maxTokens).fill(A);
    const sequence = { tokens, logprobs: tokens.map(() => -1), stopReason: 'length' as const };
    return prompts.map(() => Array.from({ length: how.samples }, () => sequence));
  }

  async logprobs(sequences: readonly TokenIds[]) {
    return sequences.map((tokens) => Float32Array.from(tokens, (_, at) => (at === 0 ? Number.NaN : -1)));
  }

  async topLogprobs(sequences: readonly TokenIds[], k: number) {
    return sequences.map(({ length }) => ({
      tokens: new Int32Array(length * k).fill(A),
      logprobs: new Float32Array(length * k).fill(-1),
      k,
    }));
  }
}

/** The organism's token for the letter a. */
const A = 6;
