import { randomInt } from 'node:crypto';
import type { Sequence, TokenIds } from '../../engine/engine.ts';
import type { SampleRequest, Score, ServedModel } from '../served-model.ts';
import { cutAtStop } from './stop-strings.ts';

/** A token that was likely in its place. */
export type LikelyToken = {
  readonly id: number;
  /** Its bytes as text, or as `bytes:\\xf0\\x9f` where they are a part of a character. */
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly logprob: number;
};

/** A token with how likely it was. */
export type SpokenToken = Omit<LikelyToken, 'logprob'> & {
  /** What it adds to the text: a character that is spread over several tokens belongs to the last of them. */
  readonly piece: string;
  /** Nats; undefined for the first of a prompt, which nothing comes before, and where none was asked for. */
  readonly logprob: number | undefined;
  /** The likeliest in its place, most likely first. */
  readonly top: readonly LikelyToken[];
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

/** As many choices as samples. @param onToken called with each token as it comes. */
export async function choose(
  model: ServedModel,
  request: ChoiceRequest,
  signal: AbortSignal,
  onToken?: SampleRequest['onToken'],
): Promise<Choice[]> {
  const asked = { ...sampling(request), onToken };
  const sequences = request.maxTokens === 0 ? nothingSaid(request) : await model.sample(asked, signal);
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
  const ids = [...(request.echo ? request.prompt : []), ...said.slice(0, kept)];
  const shown = { said: said.slice(0, kept), ids, pieces: [...before, ...pieces.slice(0, kept)] };
  const tokens = await spokenTokens(model, request, shown, sequence.logprobs, signal);
  return {
    text: before.join('') + text,
    tokens,
    finishReason: stopped || ended ? 'stop' : 'length',
    sampled: stopped ? used : sequence.tokens.length,
  };
}

type Shown = { readonly said: TokenIds; readonly ids: TokenIds; readonly pieces: readonly string[] };

/** The sampler's own logprobs where they are enough; a second look costs as much as reading it all. */
async function spokenTokens(
  model: ServedModel,
  { prompt, echo, top }: ChoiceRequest,
  { said, ids, pieces }: Shown,
  logprobs: readonly number[],
  signal: AbortSignal,
): Promise<SpokenToken[]> {
  const spoken = ids.map((id, at) => ({ ...named(model, id), piece: pieces[at]! })); // one a token
  if (top === undefined) return spoken.map((token) => ({ ...token, logprob: undefined, top: [] }));
  if (top === 0 && !echo) return spoken.map((token, at) => ({ ...token, logprob: logprobs[at]!, top: [] }));
  const wanted = Math.min(top, model.vocabSize);
  const score = await model.score({ tokens: [...prompt, ...said], top: wanted }, signal);
  const first = echo ? 0 : prompt.length;
  return spoken.map((token, at) => ({ ...token, ...likelihood(model, score, first + at) }));
}

/** What is known of the token in this place; nothing of the first. */
function likelihood(model: ServedModel, { logprobs, top }: Score, place: number): Pick<SpokenToken, 'logprob' | 'top'> {
  if (place === 0) return { logprob: undefined, top: [] };
  const k = top?.k ?? 0;
  const likeliest = Array.from({ length: k }, (_, nth) => {
    const at = (place - 1) * k + nth; // position t predicts token t + 1
    return { ...named(model, top!.tokens[at]!), logprob: top!.logprobs[at]! };
  });
  return { logprob: logprobs[place]!, top: likeliest };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** As OpenAI's completions name tokens: by their text, or by their bytes where they are no text. */
function named({ format }: ServedModel, id: number): Pick<LikelyToken, 'id' | 'text' | 'bytes'> {
  const bytes = format.bytes(id);
  try {
    return { id, bytes, text: utf8.decode(bytes) };
  } catch {
    const hex = Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
    return { id, bytes, text: `bytes:${hex.join('')}` };
  }
}
