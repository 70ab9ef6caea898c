import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  AdamParams,
  Datum,
  LossOutput,
  Policy,
  Sampler,
  StepMetrics,
  TokenIds,
} from '../../../src/engine/engine.ts';
import { stream } from '../../../src/random.ts';

const SIZE = 256;

/** Milliseconds that a step takes, so that a kill can hit the middle of one. */
const stepMilliseconds = Number(process.env.FAKE_STEP_MS ?? 0);

/** The step whose checkpoint finds the disk full in the middle of being written. */
const fullDiskAtStep = Number(process.env.FAKE_FULL_DISK_AT ?? Number.NaN);

/** A made-up model: SIZE numbers that a step moves by its tokens, with a momentum that has to survive a resume. */
export class FakePolicy implements Policy {
  #weights: Float64Array<ArrayBuffer>;
  #momentum = new Float64Array(SIZE);
  #gradient = new Float64Array(SIZE);
  #steps = 0;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(seed: number) {
    const draws = stream(seed, 'fake weights');
    this.#weights = Float64Array.from({ length: SIZE }, () => draws.uniform());
  }

  forward(batch: readonly Datum[]): Promise<LossOutput> {
    return this.#next(async () => this.#loss(batch));
  }

  forwardBackward(batch: readonly Datum[]): Promise<LossOutput> {
    return this.#next(async () => {
      for (const { input } of batch) {
        for (const token of input)
          this.#gradient[token % SIZE]! += Math.sin(this.#weights[(token * 7) % SIZE]! + token);
      }
      return this.#loss(batch);
    });
  }

  optimStep(adam: AdamParams): Promise<StepMetrics> {
    return this.#next(async () => {
      await sleep(stepMilliseconds);
      for (let index = 0; index < SIZE; index++) {
        this.#momentum[index] = adam.beta1 * this.#momentum[index]! + this.#gradient[index]!;
        this.#weights[index]! -= adam.learningRate * this.#momentum[index]!;
      }
      this.#gradient.fill(0);
      return { gradientNorm: 1, step: ++this.#steps };
    });
  }

  sampler(): Promise<Sampler> {
    return this.#next(async () => new FakeSampler(this.#weights.slice()));
  }

  save(folder: string): Promise<void> {
    return this.#next(async () => {
      await mkdir(`${folder}.beside`);
      await writeFile(join(`${folder}.beside`, 'weights.bin'), new Uint8Array(this.#weights.slice().buffer));
      if (this.#steps === fullDiskAtStep) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      await writeFile(join(`${folder}.beside`, 'momentum.bin'), new Uint8Array(this.#momentum.slice().buffer));
      await writeFile(join(`${folder}.beside`, 'steps.json'), JSON.stringify(this.#steps));
      await rename(`${folder}.beside`, folder);
    });
  }

  load(folder: string): Promise<void> {
    return this.#next(async () => {
      this.#weights = await readNumbers(join(folder, 'weights.bin'));
      this.#momentum = await readNumbers(join(folder, 'momentum.bin'));
      this.#steps = JSON.parse(await readFile(join(folder, 'steps.json'), 'utf8'));
    });
  }

  async close(): Promise<void> {}

  #loss(batch: readonly Datum[]): LossOutput {
    const logprobs = batch.map(({ input }) => Float32Array.from(input, (token) => -this.#weights[token % SIZE]!));
    return { loss: -logprobs.flatMap((row) => [...row]).reduce((sum, value) => sum + value, 0), logprobs };
  }

  /** Calls are carried out in the order in which they are made. */
  #next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }
}

async function readNumbers(path: string): Promise<Float64Array<ArrayBuffer>> {
  const bytes = await readFile(path);
  return new Float64Array(new Uint8Array(bytes).buffer);
}

export class FakeSampler implements Sampler {
  readonly #weights: Float64Array;

  constructor(weights: Float64Array) {
    this.#weights = weights;
  }

  async sample(prompts: readonly TokenIds[]) {
    return prompts.map((prompt) => [{ tokens: [this.#pick(prompt)], logprobs: [-1], stopReason: 'stop' as const }]);
  }

  async logprobs(sequences: readonly TokenIds[]) {
    return sequences.map((tokens) => Float32Array.from(tokens, (token) => -Math.abs(this.#weights[token % SIZE]!)));
  }

  async topLogprobs(): Promise<never> {
    throw new Error('the fake has no teacher');
  }

  #pick(prompt: TokenIds): number {
    return Math.floor(Math.abs(this.#weights[prompt[0]! % SIZE]!) * 1e6) % SIZE;
  }
}
