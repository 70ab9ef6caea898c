import { EngineError } from '../../errors.ts';
import type { AdamParams, Datum, Loss, LossOutput, Policy, Sampler, StepMetrics } from '../engine.ts';
import { type AdamState, accumulate, adamStep, globalNorm, initialAdamState } from './adamw.ts';
import { LocalSampler } from './local-sampler.ts';
import { cutIntoMicroBatches, type MicroBatch, microBatchFeeds } from './micro-batch.ts';
import { readCheckpoint, writeCheckpoint } from './policy-checkpoint.ts';
import type { HostTensor, Runtime, Tensors } from './runtime.ts';
import { trainingGraph } from './training-graph.ts';
import { Weights } from './weights.ts';

/** The embedded engine's policy: weights, accumulated gradient and optimiser state in this process, graphs in the workers. */
export class LocalPolicy implements Policy {
  readonly #runtime: Runtime;
  #weights: Weights;
  readonly #gradient: Float32Array;
  #adam: AdamState;
  /** Calls are carried out in the order in which they were made. */
  #last: Promise<unknown> = Promise.resolve();

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
    return this.#inOrder(() => this.#run(batch, loss, false));
  }

  forwardBackward(batch: readonly Datum[], loss: Loss): Promise<LossOutput> {
    return this.#inOrder(() => this.#run(batch, loss, true));
  }

  optimStep(adam: AdamParams): Promise<StepMetrics> {
    return this.#inOrder(async () => {
      const gradientNorm = globalNorm(this.#gradient);
      const next = this.#weights.copy();
      adamStep(next.flat, this.#gradient, this.#adam, adam, gradientNorm);
      this.#weights = next;
      this.#gradient.fill(0);
      return { gradientNorm, step: this.#adam.step };
    });
  }

  sampler(): Promise<Sampler> {
    return this.#inOrder(async () => new LocalSampler(this.#runtime, this.#weights));
  }

  /** What follows is computed while the files are written. */
  async save(folder: string): Promise<void> {
    const state = await this.#inOrder(async () => ({ weights: this.#weights, adam: copyOf(this.#adam) }));
    await writeCheckpoint(folder, state);
  }

  load(folder: string): Promise<void> {
    return this.#inOrder(async () => {
      const { weights, adam } = await readCheckpoint(folder, this.#weights.config);
      this.#weights = weights;
      this.#adam = adam;
      this.#gradient.fill(0);
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

  async #run(batch: readonly Datum[], loss: Loss, backward: boolean): Promise<LossOutput> {
    const cut = cutIntoMicroBatches(batch);
    const results = await Promise.all(cut.map((microBatch) => this.#runMicroBatch(batch, microBatch, loss, backward)));
    const losses = results.map((result) => result.loss!.data[0] as number); // float outputs
    const total = losses.reduce((sum, part) => sum + part, 0);
    if (!Number.isFinite(total)) throw this.#discard(`the loss is ${total}`);
    if (backward) this.#accumulate(results.map(({ gradients }) => gradients!.data as Float32Array)); // float outputs
    return { loss: total, logprobs: scatterRows(batch, cut, results) };
  }

  /** Adds in the order of the micro-batches, whichever worker was done first. */
  #accumulate(parts: readonly Float32Array[]): void {
    for (const part of parts) {
      if (accumulate(this.#gradient, part)) continue;
      const broken = this.#gradient.findIndex((value) => !Number.isFinite(value));
      throw this.#discard(`the gradient of ${this.#weights.nameAt(broken)} is ${this.#gradient[broken]}`);
    }
  }

  /** What was accumulated is worthless; weights and optimiser state are as they were. */
  #discard(what: string): EngineError {
    this.#gradient.fill(0);
    return new EngineError(`${what}; the step is dropped, lower the learning rate or look at this batch's weights`);
  }

  #runMicroBatch(batch: readonly Datum[], microBatch: MicroBatch, loss: Loss, backward: boolean): Promise<Tensors> {
    const { config } = this.#weights;
    const graph = trainingGraph(config, loss.kind, backward);
    const feeds = { ...microBatchFeeds(batch, microBatch, config), ...lossFeeds(loss) };
    return this.#runtime.run(graph, this.#weights, feeds, ['loss', 'logprobs', ...(backward ? ['gradients'] : [])]);
  }
}

const copyOf = ({ mean, square, step }: AdamState): AdamState => {
  return { mean: mean.slice(), square: square.slice(), step };
};

function lossFeeds(loss: Loss): Tensors {
  const scalar = (value: number): HostTensor => ({ type: 'float32', data: Float32Array.of(value), shape: [] });
  const clip = 'low' in loss ? loss : { low: 0, high: 0 };
  return { low: scalar(clip.low), high: scalar(clip.high), beta: scalar('beta' in loss ? loss.beta : 0) };
}

/** Logprobs per datum, padding cut off. */
function scatterRows(batch: readonly Datum[], cut: readonly MicroBatch[], results: readonly Tensors[]): Float32Array[] {
  const rows: Float32Array[] = [];
  cut.forEach(({ indices, time }, nth) => {
    const logprobs = results[nth]!.logprobs!.data as Float32Array; // float outputs
    indices.forEach((index, row) => {
      rows[index] = logprobs.slice(row * time, row * time + batch[index]!.input.length);
    });
  });
  return rows;
}
