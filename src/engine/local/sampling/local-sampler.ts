import { EngineError } from '../../../errors.ts';
import type { OnToken, Sampler, SamplingParams, Sequence, TokenIds, TopLogprobs } from '../../engine.ts';
import { mergedWeights } from '../compiler/adapter-graphs.ts';
import { type LogprobView, logprobGraph } from '../compiler/logprob-graph.ts';
import type { Adapter } from '../model/adapter.ts';
import { type Model, residentsOf } from '../model/model.ts';
import type { Weights } from '../model/weights.ts';
import { checkSampling, checkSequences, checkTop } from '../policy/check-tokens.ts';
import type { Step } from '../runtime/decoding.ts';
import { floatsOf, type Tensors } from '../runtime/host-tensor.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Choice } from './draw.ts';
import {
  cutIntoGenerationBatches,
  cutIntoWideBatches,
  type GenerationBatch,
  generationFeeds,
  layoutOf,
} from './generation-batch.ts';
import { generationGraph } from './generation-graph.ts';
import { cutIntoLogprobBatches, type LogprobBatch, logprobFeeds, type Span } from './logprob-batch.ts';
import { stepConstants, stepPlan } from './step-batch.ts';
import { stepGraph } from './step-graph.ts';

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

  /**
   * Weights that are mapped from a file are decoded step by step, and each token is told as it comes.
   * @throws EngineError on an empty or too long prompt, an unknown token id, or an option out of range.
   */
  async sample(prompts: readonly TokenIds[], how: SamplingParams, onToken?: OnToken): Promise<Sequence[][]> {
    const { weights } = this.#model;
    checkSampling(prompts, how, weights.config);
    const results: Sequence[][] = prompts.map(() => []);
    const isStored = weights.stored !== undefined;
    const generate = async (batch: GenerationBatch) => {
      const read = isStored
        ? await this.#decode(prompts, batch, how, onToken)
        : await this.#generate(prompts, batch, how);
      const width = batch.to - batch.from;
      batch.prompts.forEach((prompt, nth) => {
        for (let at = 0; at < width; at++) results[prompt]![batch.from + at] = sequence(read, nth * width + at, how);
      });
    };
    const batches = (isStored ? cutIntoWideBatches : cutIntoGenerationBatches)(prompts, how.samples);
    await Promise.all(batches.map(generate));
    return results;
  }

  /** @throws EngineError on an empty or too long sequence or an unknown token id. */
  async logprobs(sequences: readonly TokenIds[]): Promise<Float32Array[]> {
    const results: Float32Array[] = [];
    const spans = sequences.map(({ length }) => ({ from: 0, to: length - 1 }));
    await this.#score(sequences, spans, 'given', {}, (index, start, { logprobs }) => {
      const shifted = new Float32Array(sequences[index]!.length).fill(Number.NaN);
      shifted.set(floatsOf(logprobs!).subarray(start, start + shifted.length - 1), 1);
      results[index] = shifted;
    });
    return results;
  }

  /** @throws EngineError as {@link logprobs}, and on a k that is not among 1, ..., vocabulary size. */
  async topLogprobs(sequences: readonly TokenIds[], k: number, from?: readonly number[]): Promise<TopLogprobs[]> {
    checkTop(k, this.#model.weights.config);
    const results: TopLogprobs[] = [];
    const feeds: Tensors = { k: { type: 'int64', data: BigInt64Array.of(BigInt(k)), shape: [1] } };
    const spans = sequences.map(({ length }, index) => ({ from: from?.[index] ?? 0, to: length }));
    await this.#score(sequences, spans, 'top', feeds, (index, start, outputs) => {
      const { from, to } = spans[index]!;
      const tokens = new Int32Array(to * k);
      const logprobs = new Float32Array(to * k);
      const [first, last] = [(start + from) * k, (start + to) * k];
      tokens.set((outputs.topTokens!.data as Int32Array).subarray(first, last), from * k); // the graph's int32 output
      logprobs.set(floatsOf(outputs.logprobs!).subarray(first, last), from * k);
      results[index] = { tokens, logprobs, k };
    });
    return results;
  }

  async #generate(prompts: readonly TokenIds[], batch: GenerationBatch, how: SamplingParams): Promise<ReadToken> {
    const { config } = this.#model.weights;
    const layout = layoutOf(batch, prompts[batch.prompts[0]!]!.length + how.maxTokens);
    const feeds = generationFeeds(prompts, batch, how, config, layout);
    const outputs = ['firstToken', 'firstLogprob', 'nextTokens', 'nextLogprobs'];
    const graph = generationGraph(this.#model, choiceOf(how), layout, scalesLogprobs(how));
    return tokenOfRounds(await this.#runtime.run(graph, residentsOf(this.#model), feeds, outputs));
  }

  async #decode(
    prompts: readonly TokenIds[],
    batch: GenerationBatch,
    how: SamplingParams,
    onToken?: OnToken,
  ): Promise<ReadToken> {
    const { config } = this.#model.weights;
    const plan = stepPlan(prompts, batch, how, config);
    const feeds = stepConstants(plan, how, config, scalesLogprobs(how));
    const { samples } = plan;
    const tell = (steps: readonly Step[]) => {
      for (const { row, token, logprob } of steps) {
        onToken?.(batch.prompts[Math.floor(row / samples)]!, batch.from + (row % samples), token, logprob);
      }
    };
    const residents = residentsOf(this.#model);
    const { tokens, logprobs } = await this.#runtime.decode(stepGraph(this.#model), residents, feeds, plan, tell);
    const read = floatsOf(logprobs!);
    return (row, step) => [Number(tokens!.data[row * how.maxTokens + step]), read[row * how.maxTokens + step]!];
  }

  /** @param take what is found of a sequence: where in the outputs its position 0 lies, or would lie. */
  async #score(
    sequences: readonly TokenIds[],
    spans: readonly Span[],
    view: LogprobView,
    extra: Tensors,
    take: (index: number, start: number, outputs: Tensors) => void,
  ): Promise<void> {
    const { config } = this.#model.weights;
    checkSequences(sequences, config);
    const graph = logprobGraph(this.#model, view);
    const names = view === 'given' ? ['logprobs'] : ['logprobs', 'topTokens'];
    const score = async (batch: LogprobBatch) => {
      const ofBatch = batch.map((index) => spans[index]!);
      const { feeds, starts } = logprobFeeds(sequences, batch, ofBatch, config);
      const outputs = await this.#runtime.run(graph, residentsOf(this.#model), { ...feeds, ...extra }, names);
      batch.forEach((index, row) => {
        take(index, starts[row]!, outputs);
      });
    };
    await Promise.all(cutIntoLogprobBatches(sequences, config).map(score));
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

/** Token and logprob of a row at a step. */
type ReadToken = (row: number, step: number) => readonly [number, number];

/** From outputs `[rows, 1]` and then `[rounds, rows, block]`. */
function tokenOfRounds({ firstToken, firstLogprob, nextTokens, nextLogprobs }: Tensors): ReadToken {
  const count = firstToken!.shape[0]!;
  const block = nextTokens!.shape[2]!;
  return (row, step) => {
    if (step === 0) return [Number(firstToken!.data[row]), floatsOf(firstLogprob!)[row]!];
    const round = Math.floor((step - 1) / block);
    const place = (round * count + row) * block + ((step - 1) % block);
    return [Number(nextTokens!.data[place]), floatsOf(nextLogprobs!)[place]!];
  };
}

/** A row, cut where it stopped. @throws EngineError if the model's logits are not finite. */
function sequence(read: ReadToken, row: number, { stop, maxTokens }: SamplingParams): Sequence {
  const tokens: number[] = [];
  const logprobs: number[] = [];
  const hasStopped = () => stop.includes(tokens.at(-1)!); // one is there
  do {
    const [token, logprob] = read(row, tokens.length);
    if (!Number.isFinite(logprob)) {
      throw new EngineError(`a sampled token has logprob ${logprob}; the weights are broken`);
    }
    tokens.push(token);
    logprobs.push(logprob);
  } while (tokens.length < maxTokens && !hasStopped());
  return { tokens, logprobs, stopReason: hasStopped() ? 'stop' : 'length' };
}
