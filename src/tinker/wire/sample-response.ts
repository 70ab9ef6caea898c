import { float32, int32 } from './numbers.ts';
import { codec, present } from './schema.ts';
import { decodeTensor, encodeTensor, type Tensor, type TensorMessage } from './tensor.ts';

/** @file What sampling answers, in protobuf. */

export type SampleResponse = {
  readonly sequences: readonly SampledSequence[];
  /** `[prompt length]`, NaN where there is none, as for the first token. */
  readonly promptLogprobs?: ArrayLike<number> | undefined;
  readonly topkPromptLogprobs?: TopkLogprobs | undefined;
  /** `[prompt length, k]`, of tokens that the request named. */
  readonly targetPromptLogprobs?: Tensor | undefined;
};

export type SampledSequence = {
  readonly tokens: ArrayLike<number>;
  /** `[tokens]`, nats, of the distribution that was drawn from. */
  readonly logprobs?: ArrayLike<number> | undefined;
  readonly stopReason: 'stop' | 'length';
  readonly topkLogprobs?: TopkLogprobs | undefined;
};

/** `[length, k]` in row-major order, likeliest first; an empty place has token 0 and {@link NO_LOGPROB}. */
export type TopkLogprobs = {
  readonly tokens: ArrayLike<number>;
  readonly logprobs: ArrayLike<number>;
  readonly k: number;
  readonly length: number;
};

export const NO_LOGPROB = -99999;

type ResponseMessage = {
  sequences?: readonly SequenceMessage[];
  prompt_logprobs?: Uint8Array;
  topk_prompt_logprobs?: TopkMessage;
  target_prompt_logprobs?: TensorMessage;
};

type SequenceMessage = {
  stop_reason?: number;
  tokens?: Uint8Array;
  logprobs?: Uint8Array;
  topk_sampled_logprobs?: TopkMessage;
};

type TopkMessage = { token_ids?: Uint8Array; logprobs?: Uint8Array; k?: number; length?: number };

const Response = codec<ResponseMessage>('SampleResponse');

const NOTHING = new Uint8Array();
const LENGTH = 1;

export function encodeSampleResponse(response: SampleResponse): Uint8Array {
  const { sequences, promptLogprobs, topkPromptLogprobs, targetPromptLogprobs } = response;
  return Response.encode({
    sequences: sequences.map(encodeSequence),
    ...(promptLogprobs && { prompt_logprobs: float32.bytes(promptLogprobs) }),
    ...(topkPromptLogprobs && { topk_prompt_logprobs: encodeTopk(topkPromptLogprobs) }),
    ...(targetPromptLogprobs && { target_prompt_logprobs: encodeTensor(targetPromptLogprobs) }),
  });
}

function encodeSequence({ tokens, logprobs, stopReason, topkLogprobs }: SampledSequence): SequenceMessage {
  return {
    ...(stopReason === 'length' ? { stop_reason: LENGTH } : {}),
    tokens: int32.bytes(tokens),
    ...(logprobs && { logprobs: float32.bytes(logprobs) }),
    ...(topkLogprobs && { topk_sampled_logprobs: encodeTopk(topkLogprobs) }),
  };
}

function encodeTopk({ tokens, logprobs, k, length }: TopkLogprobs): TopkMessage {
  return { token_ids: int32.bytes(tokens), logprobs: float32.bytes(logprobs), k, length };
}

/** @throws WireError naming the field that is damaged. */
export function decodeSampleResponse(bytes: Uint8Array): SampleResponse {
  const message = Response.decode(bytes);
  const prompt = present(message, 'prompt_logprobs');
  const topk = present(message, 'topk_prompt_logprobs');
  const target = present(message, 'target_prompt_logprobs');
  return {
    sequences: (message.sequences ?? []).map(decodeSequence),
    promptLogprobs: prompt && float32.values(prompt, 'prompt_logprobs'),
    topkPromptLogprobs: topk && decodeTopk(topk, 'topk_prompt_logprobs'),
    targetPromptLogprobs: target && decodeTensor(target, 'target_prompt_logprobs'),
  };
}

function decodeSequence(message: SequenceMessage): SampledSequence {
  const logprobs = present(message, 'logprobs');
  const topk = present(message, 'topk_sampled_logprobs');
  return {
    tokens: int32.values(message.tokens ?? NOTHING, 'tokens'),
    logprobs: logprobs && float32.values(logprobs, 'logprobs'),
    stopReason: message.stop_reason === LENGTH ? 'length' : 'stop',
    topkLogprobs: topk && decodeTopk(topk, 'topk_sampled_logprobs'),
  };
}

function decodeTopk({ token_ids, logprobs, k, length }: TopkMessage, field: string): TopkLogprobs {
  return {
    tokens: int32.values(token_ids ?? NOTHING, field),
    logprobs: float32.values(logprobs ?? NOTHING, field),
    k: k ?? 0,
    length: length ?? 0,
  };
}
