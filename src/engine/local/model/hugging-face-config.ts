import { join } from 'node:path';
import { distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { readJson } from '../../../disk/read-json.ts';
import { ModelError } from '../../../errors.ts';
import type { LlamaConfig } from './llama-config.ts';

/**
 * @file `config.json` of the Llama family as transformers writes it. Whatever would make another model of the same
 * weights is refused by name, never ignored.
 */

/** The architectures that are understood, and what each means beside the common shape. */
const ARCHITECTURES = {
  LlamaForCausalLM: { modelType: 'llama', queryKeyNorm: false, queryKeyValueBias: false },
  Qwen2ForCausalLM: { modelType: 'qwen2', queryKeyNorm: false, queryKeyValueBias: true },
  Qwen3ForCausalLM: { modelType: 'qwen3', queryKeyNorm: true, queryKeyValueBias: false },
} as const;

type Architecture = keyof typeof ARCHITECTURES;

const architectures = Object.keys(ARCHITECTURES) as Architecture[]; // Object.keys forgets the key type

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
const configSchema = z.object({
  architectures: z.tuple([z.enum(architectures)]),
  model_type: z.string().optional(),
  initializer_range: z.number().positive().max(1).default(0.02),
  vocab_size: z
    .int()
    .positive()
    .max(2 ** 24),
  hidden_size: width,
  intermediate_size: width,
  num_hidden_layers: z.int().positive().max(1024),
  num_attention_heads: z.int().positive().max(1024),
  num_key_value_heads: z.int().positive().max(1024).optional(),
  head_dim: z.int().positive().max(4096).nullish(),
  max_position_embeddings: z
    .int()
    .positive()
    .max(2 ** 24),
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
type RawConfig = z.output<typeof configSchema>;

/** @throws ModelError in one line that names the field, and what is supported. */
export async function readConfig(folder: string): Promise<LlamaConfig> {
  const path = join(folder, 'config.json');
  return parseConfig(path, await readJson(path));
}

/** The shape that the fields of a `config.json` describe; errors name `path`. */
export function parseConfig(path: string, fields: Record<string, unknown>): LlamaConfig {
  return checked(path, shapeOf(path, parseRaw(path, fields)));
}

/** Standard deviation of fresh weights. */
export async function readInitializerRange(folder: string): Promise<number> {
  const path = join(folder, 'config.json');
  return parseRaw(path, await readJson(path)).initializer_range;
}

function parseRaw(path: string, value: Record<string, unknown>): RawConfig {
  checkSpelling(path, value);
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) throw refusal(path, parsed.error.issues[0]!, value); // a failed parse has an issue
  return parsed.data;
}

/** A field misspelt by a letter would silently take its default, and be another model. */
function checkSpelling(path: string, value: Record<string, unknown>): void {
  const known = Object.keys(configSchema.shape);
  for (const key of Object.keys(value).filter((candidate) => !known.includes(candidate))) {
    const meant = known.find((name) => distance(name, key) <= 2);
    if (meant !== undefined) throw new ModelError(`${path}: ${key} is not known; did you mean ${meant}?`);
  }
}

function refusal(path: string, issue: z.core.$ZodIssue, value: unknown): ModelError {
  const field = issue.path.join('.');
  const given = issue.path.reduce((at: unknown, key) => Object(at)[key], value);
  if (given === undefined && issue.code !== 'invalid_value') return new ModelError(`${path}: ${field} is missing`);
  const wanted =
    'values' in issue ? `supported is ${issue.values.map((one) => JSON.stringify(one)).join(', ')}` : issue.message;
  return new ModelError(`${path}: ${field} is ${JSON.stringify(given)?.slice(0, 80)}; ${wanted}`);
}

function shapeOf(path: string, raw: RawConfig): LlamaConfig {
  const [architecture] = raw.architectures;
  const { modelType, ...switches } = ARCHITECTURES[architecture];
  if (raw.model_type !== undefined && raw.model_type !== modelType) {
    throw new ModelError(`${path}: model_type is "${raw.model_type}"; ${architecture} goes with "${modelType}"`);
  }
  return {
    vocabSize: raw.vocab_size,
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads: raw.num_attention_heads,
    keyValueHeads: raw.num_key_value_heads ?? (architecture === 'LlamaForCausalLM' ? raw.num_attention_heads : 32),
    headSize: raw.head_dim ?? (architecture === 'Qwen3ForCausalLM' ? 128 : raw.hidden_size / raw.num_attention_heads),
    ropeTheta: ropeTheta(path, raw),
    normEpsilon: raw.rms_norm_eps,
    tiedEmbedding: raw.tie_word_embeddings,
    ...switches,
    maxPositions: raw.max_position_embeddings,
  };
}

/** transformers 5 puts it into `rope_parameters`, older ones beside `rope_scaling`; 10000 where neither says. */
function ropeTheta(path: string, raw: RawConfig): number {
  for (const field of ['rope_parameters', 'rope_scaling'] as const) {
    const type = raw[field]?.rope_type ?? raw[field]?.type ?? 'default';
    if (type !== 'default') throw new ModelError(`${path}: ${field}.rope_type is "${type}"; supported is "default"`);
  }
  const given = [raw.rope_parameters?.rope_theta, raw.rope_scaling?.rope_theta, raw.rope_theta];
  const values = given.filter((theta) => theta !== undefined && theta !== null);
  if (new Set(values).size > 1) throw new ModelError(`${path}: rope_theta is said twice: ${values.join(' and ')}`);
  return values[0] ?? 10_000;
}

function checked(path: string, config: LlamaConfig): LlamaConfig {
  const { heads, keyValueHeads, headSize } = config;
  if (heads % keyValueHeads !== 0) {
    throw new ModelError(`${path}: num_key_value_heads ${keyValueHeads} does not divide num_attention_heads ${heads}`);
  }
  if (headSize % 2 !== 0) throw new ModelError(`${path}: head_dim is ${headSize}; an even whole number is needed`);
  return config;
}

/** The fields of `config.json` for this shape, readable by transformers 4 and 5. */
export function huggingFaceConfig(config: LlamaConfig): Record<string, unknown> {
  const [architecture, { modelType }] = architectureOf(config);
  return {
    architectures: [architecture],
    attention_bias: false,
    bos_token_id: null,
    dtype: 'float32',
    eos_token_id: null,
    head_dim: config.headSize,
    hidden_act: 'silu',
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    max_position_embeddings: config.maxPositions,
    model_type: modelType,
    num_attention_heads: config.heads,
    num_hidden_layers: config.layers,
    num_key_value_heads: config.keyValueHeads,
    pad_token_id: null,
    rms_norm_eps: config.normEpsilon,
    rope_parameters: { rope_theta: config.ropeTheta, rope_type: 'default' },
    rope_theta: config.ropeTheta,
    tie_word_embeddings: config.tiedEmbedding,
    vocab_size: config.vocabSize,
  };
}

function architectureOf({ queryKeyNorm, queryKeyValueBias }: LlamaConfig) {
  const entries = Object.entries(ARCHITECTURES);
  const found = entries.find(
    ([, one]) => one.queryKeyNorm === queryKeyNorm && one.queryKeyValueBias === queryKeyValueBias,
  );
  if (found === undefined) throw new ModelError('no Hugging Face architecture has both qk-norm and qkv-bias');
  return found;
}
