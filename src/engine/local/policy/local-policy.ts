import type { AdamParams, Sampler, StepMetrics } from '../../engine.ts';
import { readCheckpoint, writeCheckpoint } from '../files/policy-checkpoint.ts';
import { Weights } from '../model/weights.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { LocalSampler } from '../sampling/local-sampler.ts';
import { type AdamState, adamStep, globalNorm, initialAdamState } from './adamw.ts';
import { GraphPolicy } from './graph-policy.ts';

/** The embedded engine's policy: AdamW moves every weight. */
export class LocalPolicy extends GraphPolicy {
  #adam: AdamState;
  /** Whether a sampler or a save holds the weights. */
  #seen: boolean;
  /** The weights in their file, as long as they are those. */
  #stored: Weights | undefined;

  /** @param weights to start from: they must not change any more. */
  constructor(runtime: Runtime, weights: Weights) {
    super(runtime, { weights: inMemory(weights) });
    this.#adam = initialAdamState(weights.size);
    this.#seen = weights.stored === undefined;
    this.#stored = weights.stored === undefined ? undefined : weights;
  }

  weights(): Promise<Weights> {
    return this.inOrder(async () => this.model.weights.copy());
  }

  protected async snapshot(): Promise<Sampler> {
    return new LocalSampler(this.runtime, this.#stored ?? this.#held());
  }

  protected async step(gradient: Float32Array, adam: AdamParams): Promise<StepMetrics> {
    const gradientNorm = globalNorm(gradient);
    adamStep(this.#nextWeights().flat, gradient, this.#adam, adam, gradientNorm);
    return { gradientNorm, step: this.#adam.step };
  }

  /** What follows is computed while the files are written. */
  async save(folder: string): Promise<void> {
    const state = await this.inOrder(async () => {
      return { weights: this.#held(), adam: copyOf(this.#adam) };
    });
    await writeCheckpoint(folder, state);
  }

  load(folder: string): Promise<void> {
    return this.startOver(async () => {
      const { weights, adam } = await readCheckpoint(folder, this.config);
      this.#adam = adam;
      this.#seen = weights.stored === undefined;
      this.#stored = undefined;
      return { weights: inMemory(weights) };
    });
  }

  /** The weights as they are, which from now on must stay so. */
  #held(): Weights {
    this.#seen = true;
    return this.model.weights;
  }

  /** The next version, to be changed in the midst of a step: in the same memory, unless somebody still looks at it. */
  #nextWeights(): Weights {
    const { weights } = this.model;
    const next = this.#seen ? weights.copy() : new Weights(weights.config, weights.flat);
    this.replaceModel({ weights: next });
    this.#stored = undefined;
    this.#seen = false;
    return next;
  }
}

/** Weights that change are of no use in a file: numbers of one's own. */
const inMemory = (weights: Weights): Weights =>
  weights.stored === undefined ? weights : new Weights(weights.config, weights.stored.load());

const copyOf = ({ mean, square, step }: AdamState): AdamState => {
  return { mean: mean.slice(), square: square.slice(), step };
};
