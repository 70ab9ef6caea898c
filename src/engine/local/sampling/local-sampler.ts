import { EngineError } from '../../../errors.ts';
import type { Sampler, SamplingParams, Sequence, TokenIds, TopLogprobs } from '../../engine.ts';
import { mergedWeights } from '../compiler/adapter-graphs.ts';
import { type LogprobView, logprobGraph } from '../compiler/logprob-graph.ts';
import type { Adapter } from '../model/adapter.ts';
import { type Model, residentsOf } from '../model/model.ts';
import type { Weights } from '../model/weights.ts';
import { checkSampling, checkSequences, checkTop } from '../policy/check-tokens.ts';
import { floatsOf, type Tensors } from '../runtime/host-tensor.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Choice } from './draw.ts';
import { cutIntoGenerationBatches, type GenerationBatch, generationFeeds, layoutOf } from './generation-batch.ts';
import { generationGraph } from './generation-graph.ts';
import { cutIntoLogprobBatches, logprobFeeds } from './logprob-batch.ts';

/** The embedded engine's sampler. Batches run side by side on the runtime's workers; their cut depends on the data alone. */
export class LocalSampler implements Sampler {
  readonly #runtime: Runtime;
  readonly #model: Model;

  /** @param weights a snapshot: they must not change any more. @param adapter beside them, not merged into them. */
  constructor(runtime: Runtime, weights: Weights, adapter?: Adapter) {
    this.#runtime = runtime;
    this.#model = { weights, adapter };
  }

  /**
   * Of weights with an adapter. Small ones are merged, because one more node costs more than its arithmetic; those that
   * are mapped from a file stay there, and the adapter is computed beside them.
   */
  static async adapted(runtime: Runtime, weights: Weights, adapter: Adapter): Promise<LocalSampler> {
    if (weights.stored !== undefined) return new LocalSampler(runtime, weights, adapter);
    return new LocalSampler(runtime, await mergedWeights(runtime, weights, adapter));
  }

  /** @throws EngineError on an empty or too long prompt, an unknown token id, or an option out of range. */
  async sample(prompts: readonly TokenIds[], how: SamplingParams): Promise<Sequence[][]> {
    checkSampling(prompts, how, this.#model.weights.config);
    const results: Sequence[][] = prompts.map(() => []);
    const generate = async (batch: GenerationBatch) => {
      const rows = new Rows(await this.#generate(prompts, batch, how), how);
      batch.prompts.forEach((prompt, nth) => {
        const width = batch.to - batch.from;
        for (let at = 0; at < width; at++) results[prompt]![batch.from + at] = rows.sequence(nth * width + at);
      });
    };
    await Promise.all(cutIntoGenerationBatches(prompts, how.samples).map(generate));
    return results;
  }

  /** @throws EngineError on an empty or too long sequence or an unknown token id. */
  async logprobs(sequences: readonly TokenIds[]): Promise<Float32Array[]> {
    const results: Float32Array[] = [];
    await this.#score(sequences, 'given', {}, (index, row, time, { logprobs }) => {
      const shifted = new Float32Array(sequences[index]!.length).fill(Number.NaN);
      shifted.set(floatsOf(logprobs!).subarray(row * time, row * time + shifted.length - 1), 1);
      results[index] = shifted;
    });
    return results;
  }

  /** @throws EngineError as {@link logprobs}, and on a k that is not among 1, ..., vocabulary size. */
  async topLogprobs(sequences: readonly TokenIds[], k: number): Promise<TopLogprobs[]> {
    checkTop(k, this.#model.weights.config);
    const results: TopLogprobs[] = [];
    const feeds: Tensors = { k: { type: 'int64', data: BigInt64Array.of(BigInt(k)), shape: [1] } };
    await this.#score(sequences, 'top', feeds, (index, row, time, { logprobs, topTokens }) => {
      const [from, to] = [row * time * k, (row * time + sequences[index]!.length) * k];
      const tokens = (topTokens!.data as Int32Array).slice(from, to); // the graph's int32 output
      results[index] = { tokens, logprobs: floatsOf(logprobs!).slice(from, to), k };
    });
    return results;
  }

  #generate(prompts: readonly TokenIds[], batch: GenerationBatch, how: SamplingParams): Promise<Tensors> {
    const { config } = this.#model.weights;
    const layout = layoutOf(batch, prompts[batch.prompts[0]!]!.length + how.maxTokens);
    const feeds = generationFeeds(prompts, batch, how, config, layout);
    const outputs = ['firstToken', 'firstLogprob', 'nextTokens', 'nextLogprobs'];
    const graph = generationGraph(this.#model, choiceOf(how), layout, scalesLogprobs(how));
    return this.#runtime.run(graph, residentsOf(this.#model), feeds, outputs);
  }

  async #score(
    sequences: readonly TokenIds[],
    view: LogprobView,
    extra: Tensors,
    take: (index: number, row: number, time: number, outputs: Tensors) => void,
  ): Promise<void> {
    const { config } = this.#model.weights;
    checkSequences(sequences, config);
    const graph = logprobGraph(this.#model, view);
    const names = view === 'given' ? ['logprobs'] : ['logprobs', 'topTokens'];
    const score = async (batch: readonly number[]) => {
      const feeds = { ...logprobFeeds(sequences, batch, config), ...extra };
      const outputs = await this.#runtime.run(graph, residentsOf(this.#model), feeds, names);
      const time = sequences[batch[0]!]!.length;
      batch.forEach((index, row) => {
        take(index, row, time, outputs);
      });
    };
    await Promise.all(cutIntoLogprobBatches(sequences).map(score));
  }
}

/** Filters that keep everything cost nothing. */
function choiceOf({ temperature, topP = 1, topK = Infinity }: SamplingParams): Choice {
  if (temperature === 0) return 'greedy';
  return topP < 1 || topK < Infinity ? 'drawFiltered' : 'draw';
}

/** At these temperatures a tempered logprob is the plain one. */
function scalesLogprobs({ tempered = false, temperature }: SamplingParams): boolean {
  return tempered && temperature !== 0 && temperature !== 1;
}

/** The rows of one generated batch, cut where each stopped. */
class Rows {
  readonly #stop: ReadonlySet<number>;
  readonly #outputs: Tensors;
  readonly #count: number;
  readonly #limit: number;

  constructor(outputs: Tensors, { stop, maxTokens }: SamplingParams) {
    this.#stop = new Set(stop);
    this.#outputs = outputs;
    this.#count = outputs.firstToken!.shape[0]!;
    this.#limit = maxTokens;
  }

  /** @throws EngineError if the model's logits are not finite. */
  sequence(row: number): Sequence {
    const tokens: number[] = [];
    const logprobs: number[] = [];
    do {
      const [token, logprob] = this.#at(row, tokens.length);
      if (!Number.isFinite(logprob))
        throw new EngineError(`a sampled token has logprob ${logprob}; the weights are broken`);
      tokens.push(token);
      logprobs.push(logprob);
    } while (tokens.length < this.#limit && !this.#stop.has(tokens.at(-1)!));
    return { tokens, logprobs, stopReason: this.#stop.has(tokens.at(-1)!) ? 'stop' : 'length' };
  }

  /** Token and logprob at this step; the outputs are `[rows, 1]` and then `[rounds, rows, block]`. */
  #at(row: number, step: number): [number, number] {
    const { firstToken, firstLogprob, nextTokens, nextLogprobs } = this.#outputs;
    if (step === 0) return [Number(firstToken!.data[row]), floatsOf(firstLogprob!)[row]!];
    const block = nextTokens!.shape[2]!;
    const round = Math.floor((step - 1) / block);
    const place = (round * this.#count + row) * block + ((step - 1) % block);
    return [Number(nextTokens!.data[place]), floatsOf(nextLogprobs!)[place]!];
  }
}
