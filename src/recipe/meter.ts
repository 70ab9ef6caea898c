import type { Policy, Sampler } from '../engine/engine.ts';

/** Tokens that went through a policy since the last reading. */
export type Tokens = { readonly trained: number; readonly sampled: number };

/** Counts what a stage really trains and samples, whatever its cost estimate said. */
export class Meter {
  #trained = 0;
  #sampled = 0;

  /** Reads the meter and sets it back to zero. */
  read(): Tokens {
    const tokens = { trained: this.#trained, sampled: this.#sampled };
    this.#trained = 0;
    this.#sampled = 0;
    return tokens;
  }

  policy(policy: Policy): Policy {
    return {
      forward: (batch, loss) => policy.forward(batch, loss),
      forwardBackward: (batch, loss) => {
        this.#trained += batch.reduce((sum, datum) => sum + datum.input.length, 0);
        return policy.forwardBackward(batch, loss);
      },
      optimStep: (adam) => policy.optimStep(adam),
      sampler: async () => this.sampler(await policy.sampler()),
      save: (folder) => policy.save(folder),
      load: (folder) => policy.load(folder),
      close: () => policy.close(),
    };
  }

  sampler(sampler: Sampler): Sampler {
    return {
      sample: async (prompts, how) => {
        const sequences = await sampler.sample(prompts, how);
        this.#sampled += sequences.flat().reduce((sum, { tokens }) => sum + tokens.length, 0);
        return sequences;
      },
      logprobs: (sequences) => sampler.logprobs(sequences),
      topLogprobs: (sequences, k, from) => sampler.topLogprobs(sequences, k, from),
    };
  }
}
