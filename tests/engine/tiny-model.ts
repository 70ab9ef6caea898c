import { parseConfig } from '../../src/engine/local/model/architectures.ts';
import type { ModelConfig } from '../../src/engine/local/model/model-config.ts';

/** The fields of a `config.json` of a Llama that takes no time. */
const FIELDS = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: 11,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 4,
  max_position_embeddings: 32,
  rms_norm_eps: 1e-6,
  rope_theta: 100,
  rope_parameters: { rope_theta: 100, rope_type: 'default' },
  tie_word_embeddings: true,
  dtype: 'float32',
};

/** That model with these fields changed. */
export const tinyModel = (changes: Readonly<Record<string, unknown>> = {}): ModelConfig =>
  parseConfig('config.json', { ...FIELDS, ...changes });

export const tinyConfig = tinyModel();

/** What makes a Qwen2 or a Qwen3 of these fields. */
export const QWEN2 = { architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2' };
export const QWEN3 = { architectures: ['Qwen3ForCausalLM'], model_type: 'qwen3' };
