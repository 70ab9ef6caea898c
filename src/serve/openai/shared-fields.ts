import { z } from 'zod';

/** @file Fields that chat and completions share. */

/** A field that can only be left at what changes nothing; clients send it all the same. */
const only = <Value extends string | number | boolean>(value: Value) =>
  z.literal(value, { error: `only ${JSON.stringify(value)} can be honoured here; leave it out` }).optional();

/** Below this, and above 0, single precision no longer tells the likeliest token from the others' rounding. */
const LOWEST_TEMPERATURE = 0.001;

const stop = z
  .union([z.string(), z.array(z.string()).max(16)], { error: 'it is a string or an array of at most 16' })
  .transform((given) => [given].flat())
  .refine((strings) => strings.every((one) => one !== ''), { error: 'an empty string would stop at once' });

/** Labels and hints of the client's for its own books and for a server's cache: none changes an answer. */
const labels = {
  user: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  safety_identifier: z.string().optional(),
  prompt_cache_key: z.string().optional(),
  prompt_cache_retention: z.string().optional(),
  cache_prompt: z.boolean().optional(),
};

/** How to draw, stop and send; what neither endpoint can honour beside its neutral value. */
export const sharedFields = {
  model: z.string(),
  temperature: z
    .number()
    .min(0)
    .max(2)
    .refine((value) => value === 0 || value >= LOWEST_TEMPERATURE, {
      error: `it is 0 (greedy), or ${LOWEST_TEMPERATURE} to 2`,
    })
    .default(1),
  top_p: z.number().gt(0).max(1).default(1),
  /** vLLM writes -1 and llama.cpp 0 for all tokens. */
  top_k: z
    .int()
    .min(-1)
    .transform((count) => (count > 0 ? count : undefined))
    .optional(),
  n: z.int().min(1).max(128).default(1),
  seed: z.int().optional(),
  stop: stop.default([]),
  stream: z.boolean().default(false),
  stream_options: z
    .strictObject({ include_usage: z.boolean().optional(), include_obfuscation: only(false) })
    .optional(),
  ...labels,
  store: only(false),
  service_tier: z.enum(['auto', 'default'], { error: 'there are no tiers here; leave it out' }).optional(),
  presence_penalty: only(0),
  frequency_penalty: only(0),
  repetition_penalty: only(1),
  min_p: only(0),
  typical_p: only(1),
  min_tokens: only(0),
  length_penalty: only(1),
  ignore_eos: only(false),
  use_beam_search: only(false),
  /** Nothing is put before a prompt that its text does not have. */
  add_special_tokens: only(false),
  logit_bias: z.strictObject({}, { error: 'the odds of tokens cannot be changed; leave it out' }).optional(),
};

const noTools = z.tuple([], { error: 'this server calls no tools; leave it out' }).optional();
const noCall = z.enum(['none', 'auto'], { error: 'this server calls no tools; leave it out' }).optional();

export const chatOnlyFields = {
  tools: noTools,
  functions: noTools,
  tool_choice: noCall,
  function_call: noCall,
  /** How to call what is not called. */
  parallel_tool_calls: z.boolean().optional(),
  reasoning_effort: only('none'),
  verbosity: only('medium'),
  modalities: z.tuple([z.literal('text')], { error: 'only ["text"] can be honoured here; leave it out' }).optional(),
  response_format: z
    .strictObject({ type: z.literal('text', { error: 'only "text" can be honoured here; leave it out' }) })
    .optional(),
};

export const completionOnlyFields = { best_of: only(1), suffix: only('') };

/** How many of the likeliest tokens may be asked for. */
export const MOST_TOP_LOGPROBS = 20;
