import { distance } from 'fastest-levenshtein';
import { z } from 'zod';
import type { ModelConfig } from './model-config.ts';
import { defaultRope } from './rope.ts';

/**
 * @file The fields of `config.json` that all families have, with transformers' defaults. Whatever would make another
 * model of the same weights is refused by name, never ignored.
 */

const width = z
  .int()
  .positive()
  .max(2 ** 20);

/** `rope_type` is older files' `type`. */
const ropeSchema = z.object({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  partial_rotary_factor: z.literal(1).optional(),
});

/** Bounds keep a damaged number from asking for all of the memory. */
export const commonFields = z.object({
  architectures: z.tuple([z.string()]),
  model_type: z.string().optional(),
  vocab_size: z
    .int()
    .positive()
    .max(2 ** 24),
  hidden_size: width,
  intermediate_size: width,
  num_hidden_layers: z.int().positive().max(1024),
  num_attention_heads: z.int().positive().max(1024),
  num_key_value_heads: z.int().positive().max(1024).nullish(),
  head_dim: z.int().positive().max(4096).nullish(),
  max_position_embeddings: z
    .int()
    .positive()
    .max(2 ** 24),
  initializer_range: z.number().positive().max(1).default(0.02),
  rms_norm_eps: z.number().positive().max(1),
  tie_word_embeddings: z.boolean().default(false),
  rope_theta: z.number().positive().nullish(),
  rope_parameters: ropeSchema.nullish(),
  rope_scaling: ropeSchema.nullish(),
  partial_rotary_factor: z.literal(1).nullish(),
  hidden_act: z.literal('silu').default('silu'),
  attention_bias: z.literal(false).nullish(),
  mlp_bias: z.literal(false).nullish(),
  use_sliding_window: z.literal(false).nullish(),
  layer_types: z.array(z.literal('full_attention')).nullish(),
  quantization_config: z.null().optional(),
});

export type CommonFields = z.output<typeof commonFields>;

/** Throws, naming the file. */
export type Fail = (message: string) => never;

export type Raw = Readonly<Record<string, unknown>>;

/** Checks these fields of a file. @param spelled every name that may stand in it. */
export function parseFields<Schema extends z.ZodObject>(
  schema: Schema,
  value: Raw,
  spelled: readonly string[],
  fail: Fail,
): z.output<Schema> {
  checkSpelling(value, spelled, fail);
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : fail(wordingOf(parsed.error.issues[0]!, value)); // a failed parse has an issue
}

/** A field misspelt by a letter would silently take its default, and be another model. */
function checkSpelling(value: Raw, spelled: readonly string[], fail: Fail): void {
  for (const key of Object.keys(value).filter((candidate) => !spelled.includes(candidate))) {
    const meant = spelled.find((name) => distance(name, key) <= 2);
    if (meant !== undefined) fail(`${key} is not known; did you mean ${meant}?`);
  }
}

function wordingOf(issue: z.core.$ZodIssue, value: unknown): string {
  const field = issue.path.join('.');
  const given = issue.path.reduce((at: unknown, key) => Object(at)[key], value);
  if (given === undefined && issue.code !== 'invalid_value') return `${field} is missing`;
  const wanted =
    'values' in issue ? `supported is ${issue.values.map((one) => JSON.stringify(one)).join(', ')}` : issue.message;
  return `${field} is ${JSON.stringify(given)?.slice(0, 80)}; ${wanted}`;
}

/** The shape of a Llama of these fields. */
export function commonShape(architecture: string, raw: CommonFields, value: Raw, fail: Fail): ModelConfig {
  const headSize = raw.head_dim ?? raw.hidden_size / raw.num_attention_heads;
  return {
    architecture,
    vocabSize: raw.vocab_size,
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads: raw.num_attention_heads,
    keyValueHeads: raw.num_key_value_heads ?? raw.num_attention_heads,
    headSize,
    scoreScale: headSize ** -0.5,
    normEpsilon: raw.rms_norm_eps,
    tiedEmbedding: raw.tie_word_embeddings,
    biased: [],
    ropes: [defaultRope(ropeTheta(raw, fail), headSize)],
    sights: Array.from({ length: raw.num_hidden_layers }, () => ({ rope: 0 })),
    maxPositions: raw.max_position_embeddings,
    initializerRange: raw.initializer_range,
    huggingFace: value,
  };
}

/** transformers 5 puts it into `rope_parameters`, older ones beside `rope_scaling`; 10000 where neither says. */
function ropeTheta(raw: CommonFields, fail: Fail): number {
  for (const field of ['rope_parameters', 'rope_scaling'] as const) {
    const type = raw[field]?.rope_type ?? raw[field]?.type ?? 'default';
    if (type !== 'default') fail(`${field}.rope_type is "${type}"; supported is "default"`);
  }
  const given = [raw.rope_parameters?.rope_theta, raw.rope_scaling?.rope_theta, raw.rope_theta];
  const values = given.filter((theta) => theta !== undefined && theta !== null);
  if (new Set(values).size > 1) fail(`rope_theta is said twice: ${values.join(' and ')}`);
  return values[0] ?? 10_000;
}

/** Checks what holds for all families. */
export function checkedShape(config: ModelConfig, fail: Fail): ModelConfig {
  const { heads, keyValueHeads, headSize } = config;
  if (heads % keyValueHeads !== 0) {
    fail(`num_key_value_heads ${keyValueHeads} does not divide num_attention_heads ${heads}`);
  }
  if (headSize % 2 !== 0) fail(`head_dim is ${headSize}; an even whole number is needed`);
  return config;
}

/** `config.json` of these weights in single precision, as it was read. */
export function huggingFaceConfig({ huggingFace, tiedEmbedding }: ModelConfig): Record<string, unknown> {
  const { torch_dtype: _older, ...fields } = huggingFace;
  const written = { ...fields, dtype: 'float32', tie_word_embeddings: tiedEmbedding };
  return Object.fromEntries(Object.entries(written).sort(([a], [b]) => (a < b ? -1 : 1)));
}
