import { z } from 'zod';
import { ModelError } from '../../../../errors.ts';
import type { GgufFile } from './gguf-file.ts';
import { float32, type Metadata, wholeNumber } from './metadata.ts';
import { ropeScaling } from './rope-scaling.ts';

/** @file What llama.cpp calls the architectures and tensors that Hugging Face has other names for. */

/** A family of models under both of its names. */
export type GgufArchitecture = {
  /** `general.architecture` of the file, and the beginning of its keys. */
  readonly name: string;
  readonly className: string;
  readonly modelType: string;
  /** llama.cpp turns neighbouring numbers of a head, Hugging Face number i and i + half: rows lie otherwise. */
  readonly interleaved: boolean;
};

export const GGUF_ARCHITECTURES: readonly GgufArchitecture[] = [
  { name: 'llama', className: 'LlamaForCausalLM', modelType: 'llama', interleaved: true },
  { name: 'qwen2', className: 'Qwen2ForCausalLM', modelType: 'qwen2', interleaved: false },
  { name: 'qwen3', className: 'Qwen3ForCausalLM', modelType: 'qwen3', interleaved: false },
];

/** llama.cpp's name -> Hugging Face's, without layer and `.weight`. */
const OUTER = new Map([
  ['token_embd', 'model.embed_tokens'],
  ['output_norm', 'model.norm'],
  ['output', 'lm_head'],
]);
const IN_LAYER = new Map([
  ['attn_norm', 'input_layernorm'],
  ['attn_q', 'self_attn.q_proj'],
  ['attn_k', 'self_attn.k_proj'],
  ['attn_v', 'self_attn.v_proj'],
  ['attn_output', 'self_attn.o_proj'],
  ['attn_q_norm', 'self_attn.q_norm'],
  ['attn_k_norm', 'self_attn.k_norm'],
  ['ffn_norm', 'post_attention_layernorm'],
  ['ffn_gate', 'mlp.gate_proj'],
  ['ffn_up', 'mlp.up_proj'],
  ['ffn_down', 'mlp.down_proj'],
]);

/** `blk.3.attn_q.bias` -> `model.layers.3.self_attn.q_proj.bias`; undefined for a name that is not known. */
export function huggingFaceName(name: string): string | undefined {
  const [, layer, inner, kind] = /^blk\.(\d+)\.([a-z_]+)\.(weight|bias)$/.exec(name) ?? [];
  const part = IN_LAYER.get(inner ?? '');
  if (part !== undefined) return `model.layers.${layer}.${part}.${kind}`;
  const outer = OUTER.get(name.replace(/\.weight$/, ''));
  return outer === undefined ? undefined : `${outer}.weight`;
}

/** The way back. */
export function ggufName(name: string): string | undefined {
  const [, layer, inner, kind] = /^model\.layers\.(\d+)\.([a-z_.]+)\.(weight|bias)$/.exec(name) ?? [];
  const part = keyOf(IN_LAYER, inner);
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
  const known = GGUF_ARCHITECTURES.map((one) => one.name).join(', ');
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
  same(metadata, `${name}.rope.dimension_count`, headSize);
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
  const { name, className, modelType, interleaved } = architecture;
  const { heads, keyValueHeads, headSize } = headsOf(metadata, architecture);
  same(metadata, `${name}.expert_count`, 0);
  const scaling = await ropeScaling(file, name, headSize);
  return {
    architectures: [className],
    model_type: modelType,
    attention_bias: interleaved && tensors.has('blk.0.attn_q.bias'),
    dtype: 'float32',
    head_dim: headSize,
    hidden_act: 'silu',
    hidden_size: metadata.read(`${name}.embedding_length`, wholeNumber),
    intermediate_size: metadata.read(`${name}.feed_forward_length`, wholeNumber),
    max_position_embeddings: metadata.read(`${name}.context_length`, wholeNumber),
    num_attention_heads: heads,
    num_hidden_layers: metadata.read(`${name}.block_count`, wholeNumber),
    num_key_value_heads: keyValueHeads,
    rms_norm_eps: metadata.read(`${name}.attention.layer_norm_rms_epsilon`, float32),
    rope_theta: metadata.find(`${name}.rope.freq_base`, float32) ?? 10_000,
    ...(scaling && { rope_scaling: scaling }),
    tie_word_embeddings: !tensors.has('output.weight'),
    vocab_size: tensors.get('token_embd.weight')?.rows,
  };
}
