import type { AdamParams, StepMetrics } from '../../engine.ts';
import { readCheckpoint, writeCheckpoint } from '../files/policy-checkpoint.ts';
import type { Weights } from '../model/weights.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type AdamState, adamStep, globalNorm, initialAdamState } from './adamw.ts';
import { GraphPolicy } from './graph-policy.ts';

/** The embedded engine's policy: AdamW moves every weight. */
export class LocalPolicy extends GraphPolicy {
  #adam: AdamState;

  /** @param weights to start from: they must not change any more. */
  constructor(runtime: Runtime, weights: Weights) {
    super(runtime, weights);
    this.#adam = initialAdamState(weights.flat.length);
  }

  protected async step(gradient: Float32Array, adam: AdamParams): Promise<StepMetrics> {
    const gradientNorm = globalNorm(gradient);
    adamStep(this.nextWeights().flat, gradient, this.#adam, adam, gradientNorm);
    return { gradientNorm, step: this.#adam.step };
  }

  /** What follows is computed while the files are written. */
  async save(folder: string): Promise<void> {
    const state = await this.inOrder(async () => ({ weights: this.snapshot(), adam: copyOf(this.#adam) }));
    await writeCheckpoint(folder, state);
  }

  load(folder: string): Promise<void> {
    return this.startOver(async () => {
      const { weights, adam } = await readCheckpoint(folder, this.config);
      this.#adam = adam;
      return weights;
    });
  }
}

const copyOf = ({ mean, square, step }: AdamState): AdamState => {
  return { mean: mean.slice(), square: square.slice(), step };
};
