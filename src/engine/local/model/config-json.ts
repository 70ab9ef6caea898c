import { z } from 'zod';
import { type Activation, activations } from './activations.ts';
import type { Fail, Raw } from './config-fields.ts';
import type { LayerSight, ModelConfig } from './model-config.ts';
import { type RopeModel, ropeFields } from './rope-parameters.ts';
import type { ScaledRope } from './rope-scaling.ts';

/**
 * @file The fields of `config.json` that all families have. Whatever would make another model of the same weights is
 * refused by name, never ignored.
 */

const count = z.int().positive().max(1024);

const width = z
  .int()
  .positive()
  .max(2 ** 20);

const length = z
  .int()
  .positive()
  .max(2 ** 24);

/** Bounds keep a damaged number from asking for all of the memory. */
export const commonFields = z.object({
  architectures: z.tuple([z.string()]),
  model_type: z.string().optional(),
  vocab_size: length,
  hidden_size: width,
  intermediate_size: width,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: z.int().positive().max(4096).nullish(),
  max_position_embeddings: length,
  initializer_range: z.number().positive().max(1).default(0.02),
  rms_norm_eps: z.number().positive().max(1),
  tie_word_embeddings: z.boolean().default(false),
  hidden_act: z.string().default('silu'),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().nullish(),
  sliding_window: length.nullish(),
  layer_types: z.array(z.enum(['full_attention', 'sliding_attention'])).nullish(),
  ...ropeFields,
});

export type CommonFields = z.output<typeof commonFields>;

/** For families whose projections never have such biases. */
export const noBias = z.literal(false).nullish();

/**
 * Fields that change the computation, in transformers or in another family, with their neutral values. Any other value is
 * refused, unless the family reads the field.
 */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  is_causal: [true],
  use_bidirectional_attention: [false, null],
  attention_chunk_size: [null],
  per_layer_config: [null],
  quantization_config: [null],
  transformers_weights: [null],
  attn_logit_softcapping: [null],
  final_logit_softcapping: [null],
  use_sliding_window: [false, null],
  attention_multiplier: [null],
  embedding_multiplier: [1, null],
  residual_multiplier: [1, null],
  logits_scaling: [1, null],
  logit_scale: [1, null],
  scale_emb: [1, null],
  scale_depth: [null],
  clip_qkv: [null],
  alibi: [false, null],
  qk_layernorm: [false, null],
  use_qk_norm: [false, null],
  no_rope_layers: [null],
  num_local_experts: [0, null],
  num_experts: [0, null],
};

/** Refuses fields of other families that would change the computation. @param read fields that this family reads. */
export function refuseForeign(value: Raw, read: readonly string[], fail: Fail): void {
  for (const [field, neutral] of Object.entries(NEUTRAL)) {
    if (!Object.hasOwn(value, field) || read.includes(field) || neutral.includes(value[field])) continue;
    const supported = neutral.map((one) => JSON.stringify(one)).join(', ');
    fail(`${field} is ${JSON.stringify(value[field])?.slice(0, 80)}; supported is ${supported}`);
  }
}

/** Known field names, to find misspelt ones by. @param own those of a family. */
export const spellings = (own: readonly string[]): string[] => [
  ...Object.keys(commonFields.shape),
  ...Object.keys(NEUTRAL),
  ...own,
];

/** The shape of a Llama with these fields. */
export function commonShape(
  raw: CommonFields,
  ropesOf: (model: RopeModel) => readonly ScaledRope[],
  fail: Fail,
): Omit<ModelConfig, 'architecture' | 'huggingFace'> {
  const headSize = raw.head_dim ?? raw.hidden_size / raw.num_attention_heads;
  const ropes = ropesOf({ headSize, maxPositions: raw.max_position_embeddings, defaultTheta: 10_000 });
  return {
    vocabSize: raw.vocab_size,
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads: raw.num_attention_heads,
    keyValueHeads: raw.num_key_value_heads ?? raw.num_attention_heads,
    headSize,
    scoreScale: headSize ** -0.5,
    activation: activationOf('hidden_act', raw.hidden_act, fail),
    normEpsilon: raw.rms_norm_eps,
    gainOffset: 0,
    embeddingScale: 1,
    tiedEmbedding: raw.tie_word_embeddings,
    biased: [...(raw.attention_bias ? ATTENTION : []), ...(raw.mlp_bias ? MLP : [])],
    ropes: ropes.map(({ frequencies, scale }) => ({ frequencies, scale })),
    sights: Array.from({ length: raw.num_hidden_layers }, () => ({ rope: 0 })),
    maxPositions: Math.min(...ropes.map(({ maxPositions }) => maxPositions)),
    initializerRange: raw.initializer_range,
  };
}

const ATTENTION = ['q_proj', 'k_proj', 'v_proj', 'o_proj'];
const MLP = ['gate_proj', 'up_proj', 'down_proj'];

/** @param field where it stands. */
export function activationOf(field: string, name: string, fail: Fail): Activation {
  if (Object.hasOwn(activations, name)) return activations[name]!; // checked
  return fail(
    `${field} is "${name}"; supported is ${Object.keys(activations)
      .map((one) => `"${one}"`)
      .join(', ')}`,
  );
}

/**
 * Tells which layers slide: by `layer_types` or, where it is absent, by the family's rule.
 * @param window of the sliding layers. @param fail throws where a layer slides without one.
 */
export function slidingLayers(
  raw: CommonFields,
  window: number | null | undefined,
  rule: (layer: number) => boolean,
  fail: Fail,
): boolean[] {
  const { layer_types: types, num_hidden_layers: layers } = raw;
  if (types && types.length !== layers) fail(`layer_types has ${types.length} entries, for ${layers} layers`);
  const sliding = Array.from({ length: layers }, (_, layer) =>
    types ? types[layer] === 'sliding_attention' : rule(layer),
  );
  if (sliding.includes(true) && !window) fail('layer_types has "sliding_attention", but no sliding_window applies');
  return sliding;
}

/** The sliding window, or undefined where it covers the longest text anyway. */
export function windowOf(raw: CommonFields, window: number | null | undefined): number | undefined {
  return window && window < raw.max_position_embeddings ? window : undefined;
}

/** What layers see in a family with a window in every layer or in none. */
export function windowEverywhere(raw: CommonFields, fail: Fail): LayerSight[] {
  const { sliding_window: given } = raw;
  const type = given ? 'sliding_attention' : 'full_attention';
  const other = raw.layer_types?.find((each) => each !== type);
  if (other !== undefined) fail(`layer_types has "${other}", but sliding_window is ${given}; keep one`);
  const window = windowOf(raw, given);
  return slidingLayers(raw, given, () => Boolean(given), fail).map(() => ({ rope: 0, window }));
}

/** What layers see in a family without windows. */
export function windowNowhere(raw: CommonFields, fail: Fail): LayerSight[] {
  const { sliding_window: given, layer_types: types } = raw;
  if (windowOf(raw, given) !== undefined) fail(`sliding_window is ${given}; supported is null`);
  if (types?.includes('sliding_attention')) fail('layer_types has "sliding_attention"; supported is "full_attention"');
  return slidingLayers(raw, given, () => false, fail).map(() => ({ rope: 0 }));
}

/** Checks the constraints that all families share. */
export function checkedShape(config: ModelConfig, fail: Fail): ModelConfig {
  const { heads, keyValueHeads, headSize } = config;
  if (heads % keyValueHeads !== 0) {
    fail(`num_key_value_heads ${keyValueHeads} does not divide num_attention_heads ${heads}`);
  }
  if (headSize % 2 !== 0) fail(`head_dim is ${headSize}; an even whole number is needed`);
  return config;
}

/** `config.json` of these weights in single precision: as it was read, and readable by transformers 4 as well. */
export function huggingFaceConfig({ huggingFace, tiedEmbedding }: ModelConfig): Record<string, unknown> {
  const { torch_dtype: _older, ...fields } = huggingFace;
  const written = { ...olderRope(fields), ...fields, dtype: 'float32', tie_word_embeddings: tiedEmbedding };
  return Object.fromEntries(Object.entries(written).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Fields that transformers 5 takes as floats alone: it refuses a whole number without a point. */
const FLOATS = /^( *"(?:rms_norm_eps|initializer_range|(?:final|attn)_logit_softcapping)": -?\d+)(,?)$/gm;

/** The text of a `config.json`. */
export function configText(config: ModelConfig): string {
  return `${JSON.stringify(huggingFaceConfig(config), null, 2).replace(FLOATS, '$1.0$2')}\n`;
}

/** transformers 4 knows no `rope_parameters`. Layers of unlike ropes are read from fields of their own there. */
function olderRope({ rope_parameters: newer }: Raw): Raw {
  const described = z.looseObject({ rope_type: z.string(), rope_theta: z.number() }).safeParse(newer);
  if (!described.success) return {};
  const { rope_type, rope_theta } = described.data;
  return rope_type === 'default' ? { rope_theta } : { rope_theta, rope_scaling: described.data };
}
