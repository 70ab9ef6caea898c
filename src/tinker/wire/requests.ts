import { z } from 'zod';

/** @file The JSON requests of the Tinker API. Where a field changes the result, one that is unknown is not let through. */

const id = z.string().min(1).max(200);
const seqId = z.int().min(0);
const count = z.int().min(1);
const finite = z.number(); // zod's numbers are finite
/** At most ten years. */
const ttlSeconds = z.int().min(1).max(315_360_000);
const userMetadata = z.record(z.string(), z.unknown()).nullish();
/** A label of the message itself, which says nothing that its address does not say. */
const type = z.string().nullish();

/** A cloned sampling client counts from a billion times its number, beyond exact numbers; then it is text. */
const longSeqId = z.union([seqId, z.string().regex(/^\d{1,19}$/)]).transform(String);

export const clientConfigRequest = z.object({ sdk_version: z.string().nullish() });

export const createSessionRequest = z.object({
  tags: z.array(z.string()).nullish(),
  user_metadata: userMetadata,
  sdk_version: z.string().nullish(),
  project_id: z.string().nullish(),
  display_name: z.string().nullish(),
});

export const sessionHeartbeatRequest = z.object({ session_id: id });

export const finishSessionRequest = z.object({
  reason: z.object({ type: z.enum(['success', 'errored', 'interrupted']) }).nullish(),
  detail: z.string().nullish(),
});

/** Anything but Adam is refused where it is used, by its name. */
const optimizerConfig = z.looseObject({ type: z.string() }).nullish();

export const loraConfig = z.strictObject({
  rank: count,
  seed: z.int().nullish(),
  train_unembed: z.boolean().default(true),
  train_mlp: z.boolean().default(true),
  train_attn: z.boolean().default(true),
});

export const createModelRequest = z.object({
  session_id: id,
  model_seq_id: seqId,
  base_model: z.string().min(1),
  user_metadata: userMetadata,
  lora_config: loraConfig.nullish(),
  optimizer_config: optimizerConfig,
  type,
});

export const modelRequest = z.object({ model_id: id, type });

export const adamParams = z.strictObject({
  learning_rate: finite.min(0).default(1e-4),
  beta1: finite.min(0).lt(1).default(0.9),
  beta2: finite.min(0).lt(1).default(0.95),
  eps: finite.gt(0).default(1e-12),
  weight_decay: finite.min(0).default(0),
  /** 0: no clipping. */
  grad_clip_norm: finite.min(0).default(0),
});

export const optimStepRequest = z.object({
  model_id: id,
  seq_id: seqId,
  adam_params: adamParams.nullish(),
  optimizer_params: optimizerConfig,
  type,
});

export const saveWeightsRequest = z.object({
  model_id: id,
  seq_id: seqId,
  path: z.string().nullish(),
  ttl_seconds: ttlSeconds.nullish(),
  overwrite: z.boolean().nullish(),
  user_metadata: userMetadata,
  type,
});

export const saveWeightsForSamplerRequest = z.object({
  model_id: id,
  seq_id: seqId,
  /** Under a name, or else as the sampling session of this number, which has none. */
  path: z.string().nullish(),
  sampling_session_seq_id: seqId.nullish(),
  ttl_seconds: ttlSeconds.nullish(),
  user_metadata: userMetadata,
  kind: z.string().nullish(),
  type,
});

/** Into a model that is there, or (since SDK 0.38) into one that this request creates. */
export const loadWeightsRequest = z
  .object({
    model_id: id.nullish(),
    seq_id: seqId.nullish(),
    session_id: id.nullish(),
    model_seq_id: seqId.nullish(),
    path: z.string(),
    optimizer: z.boolean().nullish(),
    base_model: z.string().nullish(),
    user_metadata: userMetadata,
    optimizer_config: optimizerConfig,
    weights_access_token: z.string().nullish(),
    type,
  })
  .refine(({ model_id, seq_id, session_id, model_seq_id }) => {
    return (model_id != null && seq_id != null) !== (session_id != null && model_seq_id != null);
  }, 'give model_id and seq_id, or else session_id and model_seq_id'); // biome-ignore format: one thought

export const createSamplingSessionRequest = z.object({
  session_id: id,
  sampling_session_seq_id: seqId,
  base_model: z.string().nullish(),
  model_path: z.string().nullish(),
  type,
});

export const joinSamplingSessionRequest = z.object({ sampling_session_id: id, type });

const tokens = z.array(z.int().min(0));

/** Of what is no text only the kind is read. */
const chunk = z.union([
  z.object({ type: z.literal('encoded_text').default('encoded_text'), tokens }),
  z.object({ type: z.string() }),
]);

export const modelInput = z.object({ chunks: z.array(chunk) });

export const tensorData = z.object({
  data: z.array(finite),
  dtype: z.enum(['int64', 'float32']),
  shape: z.array(z.int().min(0)).nullish(),
  sparse_crow_indices: z.array(z.int()).nullish(),
  sparse_col_indices: z.array(z.int()).nullish(),
});

export const samplingParams = z.strictObject({
  max_tokens: count.nullish(),
  temperature: finite.min(0).default(1),
  top_p: finite.gt(0).max(1).default(1),
  /** -1: all. */
  top_k: z.int().min(-1).default(-1),
  seed: z.int().nullish(),
  /** Absent: the end of a text stops. An empty list: nothing stops. */
  stop: z.union([z.string(), z.array(z.string()), tokens]).nullish(),
});

export const sampleRequest = z.strictObject({
  sampling_session_id: id.nullish(),
  seq_id: longSeqId.nullish(),
  base_model: z.string().nullish(),
  model_path: z.string().nullish(),
  num_samples: count.default(1),
  prompt: modelInput,
  sampling_params: samplingParams,
  prompt_logprobs: z.boolean().nullish(),
  topk_prompt_logprobs: z.int().min(0).default(0),
  topk_sample_logprobs: z.int().min(0).default(0),
  prompt_logprobs_last_n: z.int().min(0).nullish(),
  prompt_alt_tokens_k: z.int().min(0).default(0),
  target_prompt_logprobs: tensorData.nullish(),
  record_stability_info: z.boolean().nullish(),
  type,
});

export const retrieveFutureRequest = z.object({ request_id: id, allow_metadata_only: z.boolean().nullish() });

export const cancelFutureRequest = z.object({ request_id: id });

/** What has become of the samples of one sampling client since `prev_cursor`. */
export const retrieveFuturesRequest = z.object({
  target: z.object({
    type: z.string().nullish(),
    sampling_session_id: id,
    cloned_sampler_id: z.int().nullish(),
  }),
  prev_cursor: z.int().nullish(),
  timeout: finite.nullish(),
  retrieved_request_ids: z.array(z.string()).nullish(),
});

export const weightsInfoRequest = z.object({ tinker_path: z.string() });

export const ttlRequest = z.object({ ttl_seconds: ttlSeconds.nullish() });

export type LoraConfig = z.output<typeof loraConfig>;
export type AdamParams = z.output<typeof adamParams>;
export type WireSamplingParams = z.output<typeof samplingParams>;
export type SampleRequest = z.output<typeof sampleRequest>;
export type ModelInput = z.output<typeof modelInput>;
