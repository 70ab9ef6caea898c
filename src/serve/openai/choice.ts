import { randomInt } from 'node:crypto';
import type { Sequence, TokenIds } from '../../engine/engine.ts';
import type { SampleRequest, Score, ServedModel } from '../served-model.ts';
import { cutAtStop } from './stop-strings.ts';

/** A token with how likely it was. */
export type SpokenToken = {
  readonly text: string;
  /** Nats; undefined for the first of a prompt, which nothing comes before, and where none was asked for. */
  readonly logprob: number | undefined;
  /** The likeliest in its place, most likely first. */
  readonly top: readonly { readonly text: string; readonly logprob: number }[];
};

/** One answer to one prompt, whatever form it is sent in. */
export type Choice = {
  readonly text: string;
  /** Together they are `text`, but for the last, which a stop string may have cut through. */
  readonly tokens: readonly SpokenToken[];
  readonly finishReason: 'stop' | 'length';
  /** Sampled, the tokens that ended it included. */
  readonly sampled: number;
};

export type ChoiceRequest = {
  readonly prompt: TokenIds;
  /** 0: only the prompt is looked at. */
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number | undefined;
  readonly samples: number;
  readonly seed: number;
  readonly stops: readonly string[];
  /** The prompt is part of the answer. */
  readonly echo: boolean;
  /** How many of the likeliest tokens are wanted in each place; undefined: no logprobs. */
  readonly top: number | undefined;
};

/** As many choices as samples. */
export async function choose(model: ServedModel, request: ChoiceRequest, signal: AbortSignal): Promise<Choice[]> {
  const sequences = request.maxTokens === 0 ? nothingSaid(request) : await model.sample(sampling(request), signal);
  return Promise.all(sequences.map((sequence) => choice(model, request, sequence, signal)));
}

/** A seed for who gave none. */
export const anySeed = (): number => randomInt(2 ** 48 - 1);

function sampling({ prompt, maxTokens, temperature, topP, topK, samples, seed }: ChoiceRequest): SampleRequest {
  return { prompt, maxTokens, temperature, topP, topK, samples, seed };
}

function nothingSaid({ samples }: ChoiceRequest): Sequence[] {
  return Array.from({ length: samples }, () => ({ tokens: [], logprobs: [], stopReason: 'length' }));
}

async function choice(
  model: ServedModel,
  request: ChoiceRequest,
  sequence: Sequence,
  signal: AbortSignal,
): Promise<Choice> {
  const { format } = model;
  const ended = sequence.stopReason === 'stop';
  const said = ended ? sequence.tokens.slice(0, -1) : sequence.tokens;
  const pieces = format.pieces(said);
  const { text, kept, used, stopped } = cutAtStop(pieces, request.stops);
  const before = request.echo ? format.pieces(request.prompt) : [];
  const shown = { said: said.slice(0, kept), pieces: [...before, ...pieces.slice(0, kept)] };
  const tokens = await spokenTokens(model, request, shown, sequence.logprobs, signal);
  return {
    text: before.join('') + text,
    tokens,
    finishReason: stopped || ended ? 'stop' : 'length',
    sampled: stopped ? used : sequence.tokens.length,
  };
}

type Shown = { readonly said: TokenIds; readonly pieces: readonly string[] };

/** The sampler's own logprobs where they are enough; a second look costs as much as reading it all. */
async function spokenTokens(
  model: ServedModel,
  { prompt, echo, top }: ChoiceRequest,
  { said, pieces }: Shown,
  logprobs: readonly number[],
  signal: AbortSignal,
): Promise<SpokenToken[]> {
  if (top === undefined) return pieces.map((text) => ({ text, logprob: undefined, top: [] }));
  if (top === 0 && !echo) return pieces.map((text, at) => ({ text, logprob: logprobs[at]!, top: [] }));
  const wanted = Math.min(top, model.vocabSize);
  const score = await model.score({ tokens: [...prompt, ...said], top: wanted }, signal);
  const first = echo ? 0 : prompt.length;
  return pieces.map((text, at) => ({ text, ...likelihood(model, score, first + at) }));
}

/** What is known of the token in this place; nothing of the first. */
function likelihood(model: ServedModel, { logprobs, top }: Score, place: number): Omit<SpokenToken, 'text'> {
  if (place === 0) return { logprob: undefined, top: [] };
  const k = top?.k ?? 0;
  const likeliest = Array.from({ length: k }, (_, nth) => {
    const at = (place - 1) * k + nth; // position t predicts token t + 1
    return { text: model.format.decode([top!.tokens[at]!]), logprob: top!.logprobs[at]! };
  });
  return { logprob: logprobs[place]!, top: likeliest };
}
