import { EngineError } from '../../errors.ts';
import type { AdamParams, Datum, Loss, LossOutput, Policy, Sampler, StepMetrics } from '../engine.ts';
import { type AdamState, accumulate, adamStep, globalNorm, initialAdamState } from './adamw.ts';
import { checkData } from './check-data.ts';
import { LocalSampler } from './local-sampler.ts';
import { readCheckpoint, writeCheckpoint } from './policy-checkpoint.ts';
import type { Runtime } from './runtime.ts';
import { lossOutput, type Part, startBatch } from './training-batch.ts';
import { Weights } from './weights.ts';

/** The embedded engine's policy: weights, accumulated gradient and optimiser state in this process, graphs in the workers. */
export class LocalPolicy implements Policy {
  readonly #runtime: Runtime;
  #weights: Weights;
  /** Whether a sampler or a save holds these weights. */
  #seen = false;
  readonly #gradient: Float32Array;
  #adam: AdamState;
  /** Why the accumulated gradient is not whole, if it is not. */
  #dropped: string | undefined;
  /** Calls are carried out in the order in which they were made. */
  #last: Promise<unknown> = Promise.resolve();
  /** The last call that changes the weights. */
  #weightsStand: Promise<unknown> = Promise.resolve();

  constructor(runtime: Runtime, weights: Weights) {
    this.#runtime = runtime;
    this.#weights = weights.copy();
    this.#gradient = new Float32Array(weights.flat.length);
    this.#adam = initialAdamState(weights.flat.length);
  }

  /** A copy of the weights as they are. */
  weights(): Promise<Weights> {
    return this.#inOrder(async () => this.#weights.copy());
  }

  /** A copy of the gradient accumulated so far, each tensor under its parameter's name. */
  gradient(): Promise<Weights> {
    return this.#inOrder(async () => new Weights(this.#weights.config, this.#gradient.slice()));
  }

  forward(batch: readonly Datum[], loss: Loss): Promise<LossOutput> {
    return this.#run(batch, loss, false);
  }

  /** @throws EngineError naming datum and field of bad data, or the tensor with a NaN or an infinity in it. */
  forwardBackward(batch: readonly Datum[], loss: Loss): Promise<LossOutput> {
    return this.#run(batch, loss, true);
  }

  /** @throws EngineError, once, if a part of the gradient was dropped: weights and optimiser state stay as they are. */
  optimStep(adam: AdamParams): Promise<StepMetrics> {
    return this.#changeWeights(async () => {
      if (this.#dropped !== undefined) throw this.#refuseStep(this.#dropped);
      const gradientNorm = globalNorm(this.#gradient);
      this.#weights = this.#nextWeights();
      adamStep(this.#weights.flat, this.#gradient, this.#adam, adam, gradientNorm);
      this.#gradient.fill(0);
      return { gradientNorm, step: this.#adam.step };
    });
  }

  sampler(): Promise<Sampler> {
    return this.#inOrder(async () => new LocalSampler(this.#runtime, this.#snapshot()));
  }

  /** What follows is computed while the files are written. */
  async save(folder: string): Promise<void> {
    const state = await this.#inOrder(async () => ({ weights: this.#snapshot(), adam: copyOf(this.#adam) }));
    await writeCheckpoint(folder, state);
  }

  load(folder: string): Promise<void> {
    return this.#changeWeights(async () => {
      const { weights, adam } = await readCheckpoint(folder, this.#weights.config);
      this.#weights = weights;
      this.#seen = false;
      this.#adam = adam;
      this.#gradient.fill(0);
      this.#dropped = undefined;
    });
  }

  close(): Promise<void> {
    return this.#runtime.close();
  }

  #inOrder<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** The weights as they are, which from now on must stay so. */
  #snapshot(): Weights {
    this.#seen = true;
    return this.#weights;
  }

  /** A new version to be changed: in the same memory, unless somebody else still looks at it. */
  #nextWeights(): Weights {
    const { config, flat } = this.#weights;
    const next = this.#seen ? this.#weights.copy() : new Weights(config, flat);
    this.#seen = false;
    return next;
  }

  #changeWeights<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#inOrder(work);
    this.#weightsStand = this.#last;
    return result;
  }

  /** The graphs run as soon as the weights stand, beside those of earlier calls; their results are added in order. */
  async #run(batch: readonly Datum[], loss: Loss, backward: boolean): Promise<LossOutput> {
    const { config } = this.#weights;
    checkData(batch, loss, config);
    const started = this.#weightsStand.then(() => startBatch(this.#runtime, this.#weights, batch, loss, backward));
    return this.#inOrder(async () => {
      try {
        return await this.#collect(await started);
      } catch (error) {
        if (backward) this.#dropped = (error as Error).message;
        throw error;
      }
    });
  }

  async #collect(running: readonly Promise<Part>[]): Promise<LossOutput> {
    const parts: Part[] = [];
    for (const promise of running) {
      const part = await promise;
      if (!Number.isFinite(part.loss)) throw new EngineError(`the loss is ${part.loss}; ${WAY_OUT}`);
      if (part.gradient !== undefined) this.#accumulate(part.gradient);
      parts.push({ ...part, gradient: undefined });
    }
    return lossOutput(parts);
  }

  #accumulate(part: Float32Array): void {
    const finite = accumulate(this.#gradient, part);
    this.#runtime.giveBack(part);
    if (finite) return;
    const broken = this.#gradient.findIndex((value) => !Number.isFinite(value));
    const name = this.#weights.nameAt(broken);
    throw new EngineError(`the gradient of ${name} is ${this.#gradient[broken]}; ${WAY_OUT}`);
  }

  #refuseStep(reason: string): EngineError {
    this.#gradient.fill(0);
    this.#dropped = undefined;
    return new EngineError(`no optimiser step, because its gradient is not whole: ${reason}`);
  }
}

const WAY_OUT = "the step is dropped, lower the learning rate or look at this batch's weights";

const copyOf = ({ mean, square, step }: AdamState): AdamState => {
  return { mean: mean.slice(), square: square.slice(), step };
};
