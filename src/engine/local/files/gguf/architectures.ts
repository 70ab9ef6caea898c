import { z } from 'zod';
import { ModelError } from '../../../../errors.ts';
import type { GgufFile } from './gguf-file.ts';
import { float32, type Metadata, wholeNumber } from './metadata.ts';
import { ropeFieldsOf } from './rope-scaling.ts';

/** @file What llama.cpp calls the architectures and tensors that Hugging Face has other names for. */

/** A family of models under both of its names. */
export type GgufArchitecture = {
  /** `general.architecture` of the file, and the beginning of its keys. */
  readonly name: string;
  readonly className: string;
  readonly modelType: string;
  /** llama.cpp turns neighbouring numbers of a head, Hugging Face number i and i + half: rows lie otherwise. */
  readonly interleaved: boolean;
  /** llama.cpp's name of a part of a layer -> Hugging Face's. */
  readonly parts: ReadonlyMap<string, string>;
  /** What llama.cpp's gains are larger by: Gemma stores them about 0. */
  readonly gainOffset?: number;
  /** Fields of `config.json` beside those of every family. */
  readonly fields?: (metadata: Metadata, heads: Heads) => Readonly<Record<string, unknown>>;
  /** Whether `unrut export` writes it. */
  readonly exported: boolean;
};

const ATTENTION = [
  ['attn_q', 'self_attn.q_proj'],
  ['attn_k', 'self_attn.k_proj'],
  ['attn_v', 'self_attn.v_proj'],
  ['attn_output', 'self_attn.o_proj'],
  ['attn_q_norm', 'self_attn.q_norm'],
  ['attn_k_norm', 'self_attn.k_norm'],
] as const;
const UNITS = [
  ['ffn_gate', 'mlp.gate_proj'],
  ['ffn_up', 'mlp.up_proj'],
  ['ffn_down', 'mlp.down_proj'],
] as const;
const BEFORE = [
  ['attn_norm', 'input_layernorm'],
  ['ffn_norm', 'post_attention_layernorm'],
] as const;
const BEHIND = [
  ['post_attention_norm', 'post_attention_layernorm'],
  ['post_ffw_norm', 'post_feedforward_layernorm'],
] as const;

const plainParts = new Map<string, string>([...BEFORE, ...ATTENTION, ...UNITS]);
const plain = { interleaved: false, parts: plainParts, exported: true };
const llama = { ...plain, interleaved: true };

const phi3Parts = new Map<string, string>([
  ...BEFORE,
  ['attn_qkv', 'self_attn.qkv_proj'],
  ['attn_output', 'self_attn.o_proj'],
  ['ffn_up', 'mlp.gate_up_proj'],
  ['ffn_down', 'mlp.down_proj'],
]);

const gemma3Parts = new Map<string, string>([
  ['attn_norm', 'input_layernorm'],
  ['ffn_norm', 'pre_feedforward_layernorm'],
  ...BEHIND,
  ...ATTENTION,
  ...UNITS,
]);

/** Of two with one name a file is read as the first. */
export const GGUF_ARCHITECTURES: readonly GgufArchitecture[] = [
  { ...llama, name: 'llama', className: 'LlamaForCausalLM', modelType: 'llama' },
  { ...llama, name: 'llama', className: 'MistralForCausalLM', modelType: 'mistral' },
  { ...plain, name: 'qwen2', className: 'Qwen2ForCausalLM', modelType: 'qwen2' },
  { ...plain, name: 'qwen3', className: 'Qwen3ForCausalLM', modelType: 'qwen3' },
  {
    ...{ ...llama, name: 'smollm3', className: 'SmolLM3ForCausalLM', modelType: 'smollm3', exported: false },
    fields: () => ({ no_rope_layer_interval: 4 }), // llama.cpp knows no other
  },
  {
    ...{ ...plain, name: 'olmo2', className: 'Olmo2ForCausalLM', modelType: 'olmo2' },
    parts: new Map<string, string>([...BEHIND, ...ATTENTION, ...UNITS]),
  },
  {
    ...{ ...plain, name: 'phi3', className: 'Phi3ForCausalLM', modelType: 'phi3', exported: false },
    parts: phi3Parts,
    fields: phi3Fields,
  },
  {
    ...{ ...plain, name: 'gemma3', className: 'Gemma3ForCausalLM', modelType: 'gemma3_text', exported: false },
    parts: gemma3Parts,
    gainOffset: 1,
    fields: gemma3Fields,
  },
];

function phi3Fields(metadata: Metadata): Record<string, unknown> {
  const window = metadata.find('phi3.attention.sliding_window', wholeNumber) ?? 0;
  const original = metadata.find('phi3.rope.scaling.original_context_length', wholeNumber);
  return {
    sliding_window: window === 0 ? null : window,
    ...(original !== undefined && { original_max_position_embeddings: original }),
  };
}

/** What llama.cpp has in its code and not in the file is what all published models have. */
function gemma3Fields(metadata: Metadata, { heads, headSize }: Heads): Record<string, unknown> {
  const width = metadata.read('gemma3.embedding_length', wholeNumber);
  const largest = metadata.read('gemma3.block_count', wholeNumber) === 62;
  const cap = metadata.find('gemma3.final_logit_softcapping', float32);
  return {
    hidden_activation: 'gelu_pytorch_tanh',
    query_pre_attn_scalar: largest ? width / heads : headSize,
    sliding_window: metadata.read('gemma3.attention.sliding_window', wholeNumber),
    sliding_window_pattern: 6,
    rope_local_base_freq: metadata.find('gemma3.rope.freq_base_swa', float32) ?? 10_000,
    ...(cap !== undefined && { final_logit_softcapping: cap }),
  };
}

/** llama.cpp's name -> Hugging Face's, of what is in no layer, without `.weight`. */
const OUTER = new Map([
  ['token_embd', 'model.embed_tokens'],
  ['output_norm', 'model.norm'],
  ['output', 'lm_head'],
]);

/** `blk.3.attn_q.bias` -> `model.layers.3.self_attn.q_proj.bias`; undefined for a name that is not known. */
export function huggingFaceName(name: string, { parts }: GgufArchitecture): string | undefined {
  const [, layer, inner, kind] = /^blk\.(\d+)\.([a-z_]+)\.(weight|bias)$/.exec(name) ?? [];
  const part = parts.get(inner ?? '');
  if (part !== undefined) return `model.layers.${layer}.${part}.${kind}`;
  const outer = OUTER.get(name.replace(/\.weight$/, ''));
  return outer === undefined ? undefined : `${outer}.weight`;
}

/** The way back. */
export function ggufName(name: string, { parts }: GgufArchitecture): string | undefined {
  const [, layer, inner, kind] = /^model\.layers\.(\d+)\.([a-z_.]+)\.(weight|bias)$/.exec(name) ?? [];
  const part = keyOf(parts, inner);
  if (part !== undefined) return `blk.${layer}.${part}.${kind}`;
  const outer = keyOf(OUTER, name.replace(/\.weight$/, ''));
  return outer === undefined ? undefined : `${outer}.weight`;
}

const keyOf = (names: ReadonlyMap<string, string>, wanted: string | undefined): string | undefined =>
  [...names].find(([, value]) => value === wanted)?.[0];

/** @throws ModelError naming the architecture where it is not known. */
export function architectureOf(metadata: Metadata): GgufArchitecture {
  const name = metadata.read('general.architecture', z.string());
  const found = GGUF_ARCHITECTURES.find((one) => one.name === name);
  if (found !== undefined) return found;
  const known = [...new Set(GGUF_ARCHITECTURES.map((one) => one.name))].join(', ');
  throw new ModelError(`${metadata.path}: general.architecture is "${name}"; supported are ${known}`);
}

/** The shape of attention, which rows of the query and key projections depend on. */
export type Heads = { readonly heads: number; readonly keyValueHeads: number; readonly headSize: number };

export function headsOf(metadata: Metadata, { name }: GgufArchitecture): Heads {
  const heads = metadata.read(`${name}.attention.head_count`, wholeNumber);
  const keyValueHeads = metadata.find(`${name}.attention.head_count_kv`, wholeNumber) ?? heads;
  const width = metadata.read(`${name}.embedding_length`, wholeNumber);
  const headSize = metadata.find(`${name}.attention.key_length`, wholeNumber) ?? width / heads;
  same(metadata, `${name}.attention.value_length`, headSize);
  return { heads, keyValueHeads, headSize };
}

/** What would make another model of the same weights. */
function same(metadata: Metadata, key: string, wanted: number): void {
  const given = metadata.find(key, wholeNumber) ?? wanted;
  if (given !== wanted) throw new ModelError(`${metadata.path}: ${key} is ${given}; supported is ${wanted}`);
}

/** Fields of `config.json`, readable by transformers 4 and 5. */
export async function configOf(file: GgufFile, architecture: GgufArchitecture): Promise<Record<string, unknown>> {
  const { metadata, tensors } = file;
  const { name, className, modelType, fields } = architecture;
  const heads = headsOf(metadata, architecture);
  same(metadata, `${name}.expert_count`, 0);
  return {
    architectures: [className],
    model_type: modelType,
    ...biases(file, architecture),
    dtype: 'float32',
    head_dim: heads.headSize,
    hidden_act: 'silu',
    hidden_size: metadata.read(`${name}.embedding_length`, wholeNumber),
    intermediate_size: metadata.read(`${name}.feed_forward_length`, wholeNumber),
    max_position_embeddings: metadata.read(`${name}.context_length`, wholeNumber),
    num_attention_heads: heads.heads,
    num_hidden_layers: metadata.read(`${name}.block_count`, wholeNumber),
    num_key_value_heads: heads.keyValueHeads,
    rms_norm_eps: metadata.read(`${name}.attention.layer_norm_rms_epsilon`, float32),
    ...(await ropeFieldsOf(file, name, heads.headSize)),
    ...fields?.(metadata, heads),
    tie_word_embeddings: !tensors.has('output.weight'),
    vocab_size: tensors.get('token_embd.weight')?.rows,
  };
}

/** Only a Llama says in its config that it has biases. */
function biases({ tensors }: GgufFile, { name }: GgufArchitecture): Record<string, boolean> {
  if (name !== 'llama') return {};
  return { attention_bias: tensors.has('blk.0.attn_q.bias'), mlp_bias: tensors.has('blk.0.ffn_up.bias') };
}
