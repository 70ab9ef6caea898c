import { EngineError } from '../../../errors.ts';
import { checkData } from '../../check-data.ts';
import type { AdamParams, Datum, Loss, LossOutput, Policy, Sampler, StepMetrics } from '../../engine.ts';
import { configOf, type Model, trainedShapes } from '../model/model.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { type Parameter, sizeOf, type Weights, windows } from '../model/weights.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { accumulate } from './adamw.ts';
import { lossOutput, type Part, startBatch } from './training-batch.ts';

/** Numbers of what is trained, and each of its tensors as a window on them. */
export type Trained = { readonly flat: Float32Array; readonly parameters: readonly Parameter[] };

/**
 * What every policy of the embedded engine has in common: the model that the graphs read, the gradient of what is trained
 * of it, and the order of calls. What an optimiser moves, and how that makes the next model, is for a subclass to say.
 */
export abstract class GraphPolicy implements Policy {
  protected readonly runtime: Runtime;
  #model: Model;
  readonly #gradient: Float32Array;
  /** Why the accumulated gradient is not whole, if it is not. */
  #dropped: string | undefined;
  /** Calls are carried out in the order in which they were made. */
  #last: Promise<unknown> = Promise.resolve();
  /** The last call that changes the weights. */
  #weightsStand: Promise<unknown> = Promise.resolve();

  /** @param model to start from: it must not change any more. */
  constructor(runtime: Runtime, model: Model) {
    this.runtime = runtime;
    this.#model = model;
    this.#gradient = new Float32Array(sizeOf(trainedShapes(model)));
  }

  get config(): ModelConfig {
    return configOf(this.#model);
  }

  /** Moves the weights against the gradient, or leaves everything as it is and throws. */
  protected abstract step(gradient: Float32Array, adam: AdamParams): Promise<StepMetrics>;
  abstract save(folder: string): Promise<void>;
  abstract load(folder: string): Promise<void>;

  /** A copy of the weights as they are, an adapter put in. */
  abstract weights(): Promise<Weights>;

  /** A copy of the gradient accumulated so far, each tensor under its parameter's name. */
  gradient(): Promise<Trained> {
    return this.inOrder(async () => {
      const flat = this.#gradient.slice();
      return { flat, parameters: windows(flat, trainedShapes(this.#model)) };
    });
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
    return this.inOrder(() => this.snapshot());
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

  /** The model as it is now; for use inside {@link inOrder}. */
  protected get model(): Model {
    return this.#model;
  }

  /** A sampler of the model as it is. */
  protected abstract snapshot(): Promise<Sampler>;

  /** The next version, in the midst of a step. */
  protected replaceModel(model: Model): void {
    this.#model = model;
  }

  /** Starts over from a model that is read: what was accumulated is forgotten. */
  protected startOver(read: () => Promise<Model>): Promise<void> {
    return this.#changeWeights(async () => {
      this.#model = await read();
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
    const started = this.#weightsStand.then(() => startBatch(this.runtime, this.#model, batch, loss, backward));
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
    const isBroken = (value: number) => !Number.isFinite(value);
    const broken = windows(this.#gradient, trainedShapes(this.#model)).find(({ data }) => data.some(isBroken));
    throw new EngineError(`the gradient of ${broken?.name} is ${broken?.data.find(isBroken)}; ${WAY_OUT}`);
  }
}

export const WAY_OUT = "the step is dropped, lower the learning rate or look at this batch's weights";
