import { z } from 'zod';

/** @file The JSON answers of the Tinker API: what a client needs of them. Servers may say more. */

const text = z.string();
const maybe = z.string().nullish();

/** Flags, all optional; a server that knows none answers `{}`. */
export const clientConfigAnswer = z.looseObject({
  fwdbwd_max_chunk_len: z.int().min(1).nullish(),
  fwdbwd_max_chunk_bytes_count: z.number().min(1).nullish(),
  parallel_fwdbwd_chunks: z.boolean().nullish(),
  sample_max_concurrent_requests: z.int().min(1).nullish(),
  use_pyqwest_transport: z.boolean().nullish(),
  sample_join_sampling_session: z.boolean().nullish(),
});

export const capabilitiesAnswer = z.looseObject({
  supported_models: z.array(
    z.looseObject({ model_name: maybe, max_context_length: z.int().nullish() }),
  ),
}); // biome-ignore format: one thought

export const createSessionAnswer = z.looseObject({
  session_id: text,
  info_message: maybe,
  warning_message: maybe,
  error_message: maybe,
});

/** To every request whose result is fetched by `retrieve_future`. */
export const futureAnswer = z.looseObject({ request_id: text, model_id: maybe });

/** To `asample`; servers for SDKs before 0.26 name no sequences. */
export const sampleFutureAnswer = z.looseObject({ request_id: text, sample_sequence_ids: z.array(text).nullish() });

export const createModelResult = z.looseObject({ model_id: text });

export const optimStepResult = z.looseObject({ metrics: z.record(z.string(), z.number()).nullish() });

export const saveWeightsResult = z.looseObject({ path: text });

export const saveWeightsForSamplerResult = z.looseObject({ path: maybe, sampling_session_id: maybe });

export const loadWeightsResult = z.looseObject({ model_id: maybe, path: maybe });

export const modelInfoAnswer = z.looseObject({
  model_id: text,
  model_data: z.looseObject({ arch: maybe, model_name: maybe, tokenizer_id: maybe }),
  is_lora: z.boolean().nullish(),
  lora_rank: z.int().nullish(),
});

export const createSamplingSessionAnswer = z.looseObject({ sampling_session_id: text });

export const joinSamplingSessionAnswer = z.looseObject({ client_counter: z.int().min(1) });

export const samplerAnswer = z.looseObject({ sampler_id: text, base_model: text, model_path: maybe });

export const weightsInfoAnswer = z.looseObject({
  base_model: text,
  is_lora: z.boolean(),
  lora_rank: z.int().nullish(),
  train_unembed: z.boolean().nullish(),
  train_mlp: z.boolean().nullish(),
  train_attn: z.boolean().nullish(),
});

const cursor = z.looseObject({ offset: z.int(), limit: z.int(), total_count: z.int() });

const checkpoint = z.looseObject({
  checkpoint_id: text,
  checkpoint_type: text,
  tinker_path: text,
  time: maybe,
  size_bytes: z.number().nullish(),
  expires_at: maybe,
});

export type WireCheckpoint = z.output<typeof checkpoint>;

export const checkpointsAnswer = z.looseObject({ checkpoints: z.array(checkpoint), cursor: cursor.nullish() });

export const trainingRun = z.looseObject({
  training_run_id: text,
  base_model: text,
  is_lora: z.boolean(),
  lora_rank: z.int().nullish(),
  last_request_time: maybe,
  user_metadata: z.record(z.string(), z.unknown()).nullish(),
});

export const trainingRunsAnswer = z.looseObject({ training_runs: z.array(trainingRun), cursor: cursor.nullish() });

export const archiveAnswer = z.looseObject({ url: text, expires: maybe });

/** The body of every refusal. */
export const refusal = z.looseObject({ detail: z.unknown() });

export type QueueState = 'active' | 'paused_capacity' | 'paused_rate_limit';

/** What a poll in JSON says of a future. */
export type Future =
  | { readonly state: 'pending'; readonly queueState: string; readonly reason: string | undefined }
  | { readonly state: 'failed'; readonly error: string; readonly category: string }
  /** The result is there, of this many bytes, and may be fetched. */
  | { readonly state: 'ready'; readonly bytes: number }
  | { readonly state: 'done'; readonly result: unknown };

const pending = z.looseObject({ type: z.literal('try_again'), queue_state: maybe, queue_state_reason: maybe });
const failed = z.looseObject({ error: text, category: maybe });
const ready = z.looseObject({ status: z.literal('complete_metadata'), response_payload_size: z.number() });

export function readFuture(answer: unknown): Future {
  const waits = pending.safeParse(answer).data;
  if (waits) {
    return {
      state: 'pending',
      queueState: waits.queue_state ?? 'active',
      reason: waits.queue_state_reason ?? undefined,
    };
  }
  const broken = failed.safeParse(answer).data;
  if (broken) return { state: 'failed', error: broken.error, category: broken.category ?? 'unknown' };
  const there = ready.safeParse(answer).data;
  if (there) return { state: 'ready', bytes: there.response_payload_size };
  return { state: 'done', result: answer };
}
