import { CachedRows, type CacheShape } from './cached-rows.ts';
import { floats, type HostTensor, integers, type Tensors } from './host-tensor.ts';

/** @file The loop of a generation outside the graph: one run a step, with the caches in the worker's memory. */

export type DecodingPlan = {
  readonly shape: CacheShape;
  readonly prompts: readonly (readonly number[])[];
  /** Of each prompt; row = prompt * samples + sample. */
  readonly samples: number;
  /** One number in [0, 1) for each token, `[rows, maxTokens]`. */
  readonly uniforms: Float32Array;
  readonly maxTokens: number;
  readonly stop: readonly number[];
};

/** What every row wrote: `[rows, maxTokens]`, of which a row's first `lengths[row]` count. */
export type Decoded = {
  readonly tokens: Int32Array;
  readonly logprobs: Float32Array;
  readonly lengths: Int32Array;
};

/** One token of a row. */
export type Step = { readonly row: number; readonly token: number; readonly logprob: number };

/** Runs the step graph. */
export type RunStep = (feeds: Tensors) => Promise<{
  readonly token: BigInt64Array;
  readonly logprob: Float32Array;
  readonly fresh: Float32Array;
}>;

/** Tokens of prompts, padding included, that are read in one run: their keys and values come out of it all at once. */
const PROMPT_TOKENS = 1024;

/** @param onSteps what each run brought, as soon as it is there. */
export async function decode(
  plan: DecodingPlan,
  run: RunStep,
  onSteps: (steps: readonly Step[]) => void,
): Promise<Decoded> {
  const decoding = new Decoding(plan, run, onSteps);
  for (const prompts of slices(plan.prompts)) await decoding.read(prompts);
  while (decoding.goesOn) await decoding.step();
  return decoding.decoded;
}

/** Prompts by their places, as many as may be read together. */
function slices(prompts: DecodingPlan['prompts']): number[][] {
  const slices: number[][] = [];
  let longest = 0;
  prompts.forEach(({ length }, nth) => {
    const open = slices.at(-1);
    longest = Math.max(longest, length);
    if (open !== undefined && (open.length + 1) * longest <= PROMPT_TOKENS) open.push(nth);
    else {
      slices.push([nth]);
      longest = length;
    }
  });
  return slices;
}

class Decoding {
  readonly decoded: Decoded;
  readonly #plan: DecodingPlan;
  readonly #run: RunStep;
  readonly #onSteps: (steps: readonly Step[]) => void;
  readonly #rows: CachedRows;

  constructor(plan: DecodingPlan, run: RunStep, onSteps: (steps: readonly Step[]) => void) {
    const rows = plan.prompts.length * plan.samples;
    this.#plan = plan;
    this.#run = run;
    this.#onSteps = onSteps;
    this.#rows = new CachedRows(plan.shape);
    this.decoded = {
      tokens: new Int32Array(rows * plan.maxTokens),
      logprobs: new Float32Array(rows * plan.maxTokens),
      lengths: new Int32Array(rows),
    };
  }

  get goesOn(): boolean {
    return this.#rows.live.length > 0;
  }

  /** Reads some prompts, and draws the first token of each of their samples. */
  async read(nths: readonly number[]): Promise<void> {
    const { samples, shape } = this.#plan;
    const prompts = nths.map((nth) => this.#plan.prompts[nth]!);
    const rows = nths.flatMap((nth) => Array.from({ length: samples }, (_, sample) => nth * samples + sample));
    const drawn = rows.map((_, at) => Math.floor(at / samples));
    const reading = new CachedRows(shape);
    reading.begin(prompts.length);
    const { token, logprob, fresh } = await this.#run({
      ...reading.feeds(prompts),
      drawn: integers(drawn),
      uniform: this.#uniforms(rows),
    });
    const lengths = prompts.map(({ length }) => length);
    this.#rows.add(rows, drawn, fresh, lengths);
    this.#take(rows, token, logprob);
  }

  /** Writes one token in every row that goes on. */
  async step(): Promise<void> {
    const rows = [...this.#rows.live];
    const last = rows.map((row) => [this.decoded.tokens[row * this.#plan.maxTokens + this.decoded.lengths[row]! - 1]!]);
    const { token, logprob, fresh } = await this.#run({
      ...this.#rows.feeds(last),
      drawn: integers([...rows.keys()]),
      uniform: this.#uniforms(rows),
    });
    this.#rows.append(fresh);
    this.#take(rows, token, logprob);
  }

  #uniforms(rows: readonly number[]): HostTensor {
    const { uniforms, maxTokens } = this.#plan;
    const next = rows.map((row) => uniforms[row * maxTokens + this.decoded.lengths[row]!]!);
    return floats(Float32Array.from(next), [rows.length, 1]);
  }

  /** Keeps what was drawn; rows that have ended leave the cache. */
  #take(rows: readonly number[], token: BigInt64Array, logprob: Float32Array): void {
    const { maxTokens, stop } = this.#plan;
    const { tokens, logprobs, lengths } = this.decoded;
    const ended = new Set<number>();
    const steps = rows.map((row, at) => {
      const step = { row, token: Number(token[at]), logprob: logprob[at]! };
      const place = row * maxTokens + lengths[row]!;
      tokens[place] = step.token;
      logprobs[place] = step.logprob;
      lengths[row]! += 1;
      if (lengths[row] === maxTokens || stop.includes(step.token)) ended.add(row);
      return step;
    });
    this.#rows.drop(ended);
    this.#onSteps(steps);
  }
}
