import { EngineError } from '../../../errors.ts';
import { checkData } from '../../check-data.ts';
import type { AdamParams, Datum, Loss, LossOutput, Policy, Sampler, StepMetrics } from '../../engine.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { Weights } from '../model/weights.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { LocalSampler } from '../sampling/local-sampler.ts';
import { accumulate } from './adamw.ts';
import { lossOutput, type Part, startBatch } from './training-batch.ts';

/**
 * What every policy of the embedded engine has in common: the weights that the graphs read, the gradient of every one of
 * them, and the order of calls. What an optimiser moves, and how that makes the weights, is for a subclass to say.
 */
export abstract class GraphPolicy implements Policy {
  protected readonly runtime: Runtime;
  #weights: Weights;
  /** Whether a sampler or a save holds these weights. */
  #seen = true;
  readonly #gradient: Float32Array;
  /** Why the accumulated gradient is not whole, if it is not. */
  #dropped: string | undefined;
  /** Calls are carried out in the order in which they were made. */
  #last: Promise<unknown> = Promise.resolve();
  /** The last call that changes the weights. */
  #weightsStand: Promise<unknown> = Promise.resolve();

  /** @param weights to start from: they must not change any more. */
  constructor(runtime: Runtime, weights: Weights) {
    this.runtime = runtime;
    this.#weights = weights;
    this.#gradient = new Float32Array(weights.flat.length);
  }

  get config(): ModelConfig {
    return this.#weights.config;
  }

  /** Moves the weights against the gradient, or leaves everything as it is and throws. */
  protected abstract step(gradient: Float32Array, adam: AdamParams): Promise<StepMetrics>;
  abstract save(folder: string): Promise<void>;
  abstract load(folder: string): Promise<void>;

  /** A copy of the weights as they are. */
  weights(): Promise<Weights> {
    return this.inOrder(async () => this.#weights.copy());
  }

  /** A copy of the gradient accumulated so far, each tensor under its parameter's name. */
  gradient(): Promise<Weights> {
    return this.inOrder(async () => new Weights(this.#weights.config, this.#gradient.slice()));
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
      const dropped = this.#dropped;
      this.#dropped = undefined;
      try {
        if (dropped === undefined) return await this.step(this.#gradient, adam);
        throw new EngineError(`no optimiser step, because its gradient is not whole: ${dropped}`);
      } finally {
        this.#gradient.fill(0);
      }
    });
  }

  /** For a reason from outside what was accumulated is not whole: the next step fails with it. */
  dropGradient(reason: string): Promise<void> {
    return this.inOrder(async () => {
      this.#dropped ??= reason;
    });
  }

  sampler(): Promise<Sampler> {
    return this.inOrder(async () => new LocalSampler(this.runtime, this.snapshot()));
  }

  /** Closes the runtime, and with it every other policy that computes on it. */
  close(): Promise<void> {
    return this.runtime.close();
  }

  /** After all calls that were made before. */
  protected inOrder<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** The weights as they are, which from now on must stay so. */
  protected snapshot(): Weights {
    this.#seen = true;
    return this.#weights;
  }

  /** The next version, to be changed in the midst of a step: in the same memory, unless somebody still looks at it. */
  protected nextWeights(): Weights {
    const { config, flat } = this.#weights;
    this.#weights = this.#seen ? this.#weights.copy() : new Weights(config, flat);
    this.#seen = false;
    return this.#weights;
  }

  /** The next version was made elsewhere; the memory of the last one goes round, unless somebody still looks at it. */
  protected replaceWeights(weights: Weights): void {
    if (!this.#seen) this.runtime.giveBack(this.#weights.flat);
    this.#weights = weights;
    this.#seen = false;
  }

  /** Starts over from weights that are read: what was accumulated is forgotten. */
  protected startOver(read: () => Promise<Weights>): Promise<void> {
    return this.#changeWeights(async () => {
      this.replaceWeights(await read());
      this.#gradient.fill(0);
      this.#dropped = undefined;
    });
  }

  #changeWeights<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.inOrder(work);
    this.#weightsStand = this.#last;
    return result;
  }

  /** The graphs run as soon as the weights stand, beside those of earlier calls; their results are added in order. */
  async #run(batch: readonly Datum[], loss: Loss, backward: boolean): Promise<LossOutput> {
    checkData(batch, loss, this.config);
    const started = this.#weightsStand.then(() => startBatch(this.runtime, this.#weights, batch, loss, backward));
    return this.inOrder(async () => {
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
    this.runtime.giveBack(part);
    if (finite) return;
    const broken = this.#gradient.findIndex((value) => !Number.isFinite(value));
    const name = this.#weights.nameAt(broken);
    throw new EngineError(`the gradient of ${name} is ${this.#gradient[broken]}; ${WAY_OUT}`);
  }
}

export const WAY_OUT = "the step is dropped, lower the learning rate or look at this batch's weights";
