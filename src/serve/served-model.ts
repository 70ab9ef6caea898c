import type { ChatFormat } from '../chat/chat-format.ts';
import type { Sampler, Sequence, TokenIds, TopLogprobs } from '../engine/engine.ts';
import { RequestBatcher } from './request-batcher.ts';

export type SampleRequest = {
  readonly prompt: TokenIds;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP: number;
  /** Absent means all. */
  readonly topK: number | undefined;
  readonly samples: number;
  readonly seed: number;
  /** Token ids that end a continuation; absent means the end of a turn. */
  readonly stop?: TokenIds;
  /** Logprobs under the tempered model; absent means false. */
  readonly tempered?: boolean;
  /** Called with each token as it comes, by engines that know it before the end; beyond `maxTokens` too. */
  readonly onToken?: ((sample: number, token: number) => void) | undefined;
};

/** `top` most likely tokens are wanted at every position, 0 for none. */
export type ScoreRequest = {
  readonly tokens: TokenIds;
  readonly top: number;
  /** False where nobody reads the tokens' own logprobs; absent means true. */
  readonly own?: boolean;
};

/** As {@link Sampler.logprobs} and {@link Sampler.topLogprobs} have them. */
export type Score = { readonly logprobs: Float32Array; readonly top: TopLogprobs | undefined };

/** A family of problems by name, with its dials. */
export type ProblemFamilyHint = { readonly name: string; readonly dials: Readonly<Record<string, unknown>> };

export type ServedModelParts = {
  /** The name under which it is asked for. */
  readonly id: string;
  readonly sampler: Sampler;
  readonly format: ChatFormat;
  /** Longest prompt and continuation together. */
  readonly maxPositions: number;
  readonly vocabSize: number;
  /** The problems that it speaks, for `unrut probe`; absent where its folder does not say. */
  readonly problemFamily?: ProblemFamilyHint | undefined;
  /** Calls of the sampler that are worth running side by side. */
  readonly calls: number;
};

/** A model that many clients ask at once: their requests share the engine's batches and cannot tell. */
export class ServedModel {
  readonly id: string;
  readonly format: ChatFormat;
  readonly maxPositions: number;
  readonly vocabSize: number;
  readonly problemFamily: ProblemFamilyHint | undefined;
  readonly created = Math.floor(Date.now() / 1000);
  readonly #samples: RequestBatcher<SampleRequest, Sequence[]>;
  readonly #scores: RequestBatcher<ScoreRequest, Score>;

  constructor({ id, sampler, format, maxPositions, vocabSize, problemFamily, calls }: ServedModelParts) {
    this.problemFamily = problemFamily;
    this.id = id;
    this.format = format;
    this.maxPositions = maxPositions;
    this.vocabSize = vocabSize;
    this.#samples = new RequestBatcher(calls, {
      kind: (request) => wayOf(request, maxPositions),
      rows: ({ samples }) => samples,
      run: (group) => draw(sampler, format.stop, group),
    });
    this.#scores = new RequestBatcher(calls, {
      kind: ({ top, own }) => `${top} ${own ?? true}`,
      rows: () => 1,
      run: (group) => score(sampler, group),
    });
  }

  /** Sequences that wait for a worker. */
  get waiting(): number {
    return this.#samples.waitingRows + this.#scores.waitingRows;
  }

  /** One sequence a sample, as if nothing else were asked: the seed alone decides. */
  sample(request: SampleRequest, signal: AbortSignal): Promise<Sequence[]> {
    return this.#samples.submit(request, signal);
  }

  score(request: ScoreRequest, signal: AbortSignal): Promise<Score> {
    return this.#scores.submit(request, signal);
  }
}

/**
 * One call has one way of drawing and one length for all. Lengths up to the same power of two go together, so that few
 * tokens need not wait for many; a prompt without room for so many goes with those that ask for as many as it does.
 */
function wayOf(request: SampleRequest, maxPositions: number): string {
  const { temperature, topP, topK, samples, maxTokens, prompt, stop, tempered } = request;
  const rounded = 2 ** Math.ceil(Math.log2(maxTokens));
  const length = prompt.length + rounded <= maxPositions ? `to ${rounded}` : maxTokens;
  return JSON.stringify([temperature, topP, topK, samples, length, stop, tempered]);
}

async function draw(sampler: Sampler, endOfTurn: TokenIds, group: readonly SampleRequest[]): Promise<Sequence[][]> {
  // a group has one, and the others draw the same way
  const { temperature, topP, topK, samples, stop = endOfTurn, tempered = false } = group[0]!;
  const drawn = await sampler.sample(
    group.map(({ prompt }) => prompt),
    {
      maxTokens: Math.max(...group.map(({ maxTokens }) => maxTokens)),
      temperature,
      topP,
      ...(topK === undefined ? {} : { topK }),
      samples,
      seed: 0,
      seeds: group.map(({ seed }) => seed),
      stop,
      tempered,
    },
    (prompt, sample, token) => group[prompt]!.onToken?.(sample, token), // a prompt is a request
  );
  return group.map(({ maxTokens }, at) => drawn[at]!.map((sequence) => cut(sequence, maxTokens)));
}

function cut(sequence: Sequence, length: number): Sequence {
  if (sequence.tokens.length <= length) return sequence;
  const { tokens, logprobs } = sequence;
  return { tokens: tokens.slice(0, length), logprobs: logprobs.slice(0, length), stopReason: 'length' };
}

async function score(sampler: Sampler, group: readonly ScoreRequest[]): Promise<Score[]> {
  const sequences = group.map(({ tokens }) => tokens);
  const k = group[0]!.top; // the same for all
  const [own, top] = await Promise.all([
    group[0]!.own === false ? sequences.map(({ length }) => new Float32Array(length)) : sampler.logprobs(sequences),
    k === 0 ? undefined : sampler.topLogprobs(sequences, k),
  ]);
  return group.map((_, at) => ({ logprobs: own[at]!, top: top?.[at] }));
}
