import type { z } from 'zod';
import type { Sequence, TokenIds, TopLogprobs } from '../../engine/engine.ts';
import { anySeed } from '../../serve/openai/choice.ts';
import { cutAtStop } from '../../serve/openai/stop-strings.ts';
import type { Score, ServedModel } from '../../serve/served-model.ts';
import type { Chunk } from '../wire/forward-backward.ts';
import type { sampleRequest } from '../wire/requests.ts';
import { NO_LOGPROB, type SampledSequence, type SampleResponse, type TopkLogprobs } from '../wire/sample-response.ts';
import { readInput } from './loss-request.ts';
import { Refusal } from './refusal.ts';

/** @file asample: what is asked, checked against the model, and the answer. */

type Request = z.output<typeof sampleRequest>;

/** What is to be done for one request. */
export type SamplePlan = {
  readonly prompt: TokenIds;
  readonly samples: number;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number | undefined;
  readonly seed: number;
  /** Ids at which to stop, and texts. */
  readonly stop: TokenIds;
  readonly stopTexts: readonly string[];
  readonly promptLogprobs: boolean;
  /** First place of the prompt that is wanted. */
  readonly promptFrom: number;
  readonly topPrompt: number;
  readonly topSampled: number;
};

const MOST_SAMPLES = 1024;
const MOST_TOP = 1024;

/** Below this, and above 0, single precision no longer tells the likeliest token from the others' rounding. */
const LOWEST_TEMPERATURE = 0.001;

/** @throws Refusal 400 naming the field. */
export function planSample(request: Request, model: ServedModel): SamplePlan {
  refuseWhatIsMissing(request);
  const { num_samples, sampling_params: how, topk_prompt_logprobs, topk_sample_logprobs } = request;
  const prompt = readPrompt(request, model);
  checkHow(request);
  const lastN = request.prompt_logprobs_last_n ?? prompt.length;
  return {
    prompt,
    samples: num_samples,
    maxTokens: readLength(how.max_tokens, prompt, model),
    temperature: how.temperature,
    topP: how.top_p,
    topK: how.top_k === -1 ? undefined : how.top_k,
    seed: how.seed ?? anySeed(),
    ...readStop(how.stop, model),
    promptLogprobs: request.prompt_logprobs ?? false,
    promptFrom: Math.max(0, prompt.length - lastN),
    topPrompt: Math.min(topk_prompt_logprobs, model.vocabSize),
    topSampled: Math.min(topk_sample_logprobs, model.vocabSize),
  };
}

function refuseWhatIsMissing(request: Request): void {
  if (request.record_stability_info) {
    throw new Refusal('record_stability_info: this server has no stable_reinforce; choose another loss_fn');
  }
  if (request.prompt_alt_tokens_k > 0) throw new Refusal('prompt_alt_tokens_k is not supported by this server');
  if (request.target_prompt_logprobs) throw new Refusal('target_prompt_logprobs is not supported by this server');
}

function checkHow({ num_samples, sampling_params: how, topk_prompt_logprobs, topk_sample_logprobs }: Request): void {
  if (num_samples > MOST_SAMPLES)
    throw new Refusal(`num_samples: ${num_samples} of one prompt; at most ${MOST_SAMPLES}`);
  if (how.top_k === 0) throw new Refusal('top_k: keep at least 1 token, or -1 for all');
  if (how.temperature !== 0 && how.temperature < LOWEST_TEMPERATURE) {
    throw new Refusal(`temperature: it is 0 (greedy), or ${LOWEST_TEMPERATURE} and more`);
  }
  for (const k of [topk_prompt_logprobs, topk_sample_logprobs]) {
    if (k > MOST_TOP) throw new Refusal(`the ${k} likeliest tokens are asked for; at most ${MOST_TOP}`);
  }
}

function readPrompt({ prompt }: Request, { vocabSize }: ServedModel): TokenIds {
  const chunks = prompt.chunks.map((chunk): Chunk => {
    return 'tokens' in chunk ? { kind: 'text', tokens: chunk.tokens } : { kind: 'image' };
  });
  const tokens = readInput(chunks, 'prompt');
  if (tokens.length === 0) throw new Refusal('prompt: no token at all; the model needs one to go on from');
  const stranger = tokens.find((token) => token >= vocabSize);
  if (stranger === undefined) return tokens;
  throw new Refusal(`prompt: token ${stranger} is unknown; ids are 0 to ${vocabSize - 1}`);
}

/** The rest of the context where it is left open. */
function readLength(asked: number | null | undefined, { length }: TokenIds, { maxPositions }: ServedModel): number {
  const rest = maxPositions - length;
  const wanted = asked ?? rest;
  if (wanted >= 1 && wanted <= rest) return wanted;
  const room = `this model has a context of ${maxPositions}`;
  throw new Refusal(
    `max_tokens: the prompt has ${length} tokens and ${Math.max(1, wanted)} more are asked for; ${room}`,
  );
}

/** No word on it: the end of a text stops. An empty list: nothing does. Anything else stops beside the end of a text. */
function readStop(
  stop: Request['sampling_params']['stop'],
  { format }: ServedModel,
): Pick<SamplePlan, 'stop' | 'stopTexts'> {
  const given = [stop ?? []].flat();
  if (stop != null && given.length === 0) return { stop: [], stopTexts: [] };
  const ids = given.filter((one) => typeof one === 'number');
  const texts = given.filter((one) => typeof one === 'string');
  if (texts.includes('')) throw new Refusal('stop: an empty string would stop at once');
  return { stop: [...new Set([...format.stop, ...ids])], stopTexts: texts };
}

/** Where the prompt is what is asked about, and the likeliest token behind it is known with it. */
const isGlance = ({ maxTokens, temperature, topPrompt, topSampled, stopTexts }: SamplePlan): boolean =>
  maxTokens === 1 && temperature === 0 && topPrompt > 0 && topSampled === 0 && stopTexts.length === 0;

function likeliest({ top }: Score, { prompt, samples, stop }: SamplePlan): Sequence[] {
  const { tokens, logprobs, k } = top!; // a glance asks for it
  const place = (prompt.length - 1) * k;
  const token = tokens[place]!;
  const stopReason = stop.includes(token) ? 'stop' : 'length';
  return Array.from({ length: samples }, () => ({ tokens: [token], logprobs: [logprobs[place]!], stopReason }));
}

/** @param signal gives up what has not begun. */
export async function answerSample(model: ServedModel, plan: SamplePlan, signal: AbortSignal): Promise<SampleResponse> {
  const { prompt: tokens, topPrompt: top, promptLogprobs: own } = plan;
  const scored = own || top > 0 ? model.score({ tokens, top, own }, signal) : undefined;
  const drawn = isGlance(plan)
    ? scored!.then((score) => likeliest(score, plan))
    : model.sample({ ...plan, tempered: true }, signal);
  const [sequences, score] = await Promise.all([drawn, scored]);
  return {
    sequences: await Promise.all(sequences.map((sequence) => answerSequence(model, plan, sequence, signal))),
    ...(score && answerPrompt(score, plan)),
  };
}

function answerPrompt({ logprobs, top }: Score, { promptLogprobs, promptFrom }: SamplePlan): Partial<SampleResponse> {
  const wanted = logprobs.map((logprob, at) => (at < promptFrom ? Number.NaN : logprob));
  return {
    ...(promptLogprobs && { promptLogprobs: wanted }),
    ...(top && { topkPromptLogprobs: ofOwnPlace(top, logprobs.length, promptFrom) }),
  };
}

/** Each place's candidates with the place itself, where the engine has them with the one before. */
function ofOwnPlace({ tokens, logprobs, k }: TopLogprobs, length: number, from: number): TopkLogprobs {
  const shifted = { tokens: new Int32Array(length * k), logprobs: new Float32Array(length * k).fill(NO_LOGPROB) };
  for (let at = Math.max(1, from); at < length; at++) {
    shifted.tokens.set(tokens.subarray((at - 1) * k, at * k), at * k);
    shifted.logprobs.set(logprobs.subarray((at - 1) * k, at * k), at * k);
  }
  return { ...shifted, k, length };
}

async function answerSequence(
  model: ServedModel,
  plan: SamplePlan,
  sequence: Sequence,
  signal: AbortSignal,
): Promise<SampledSequence> {
  const cut = cutAtText(model, plan, sequence);
  if (plan.topSampled === 0) return cut;
  return { ...cut, topkLogprobs: await topSampled(model, plan, cut, signal) };
}

/** The stop text is part of what was said, as a stop token is. */
function cutAtText({ format }: ServedModel, { stopTexts }: SamplePlan, sequence: Sequence): Sequence {
  if (stopTexts.length === 0) return sequence;
  const { used, stopped } = cutAtStop(format.pieces(sequence.tokens), stopTexts);
  if (!stopped) return sequence;
  return { tokens: sequence.tokens.slice(0, used), logprobs: sequence.logprobs.slice(0, used), stopReason: 'stop' };
}

/**
 * The likeliest tokens in each sampled place, of the distribution that was drawn from. The engine has them at
 * temperature 1; what they are at another follows from the drawn token's logprob at both.
 */
async function topSampled(
  model: ServedModel,
  { prompt, temperature, topSampled: k }: SamplePlan,
  { tokens, logprobs }: Sequence,
  signal: AbortSignal,
): Promise<TopkLogprobs> {
  const score = await model.score({ tokens: [...prompt, ...tokens], top: k }, signal);
  const from = prompt.length - 1; // position t predicts token t + 1
  const scale = temperature === 0 ? 1 : temperature;
  const top = {
    tokens: score.top!.tokens.slice(from * k, (from + tokens.length) * k),
    logprobs: score.top!.logprobs.slice(from * k, (from + tokens.length) * k),
  };
  for (let at = 0; at < top.logprobs.length; at++) {
    const place = Math.floor(at / k);
    const shift = logprobs[place]! - score.logprobs[prompt.length + place]! / scale;
    top.logprobs[at] = top.logprobs[at]! / scale + shift;
  }
  return { ...top, k, length: tokens.length };
}
