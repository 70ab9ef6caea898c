import { z } from 'zod';
import { defineArchitecture } from '../architecture.ts';
import { preNormLayer, preNormParameters } from '../decoder-parts.ts';

const headNorms = (at: string) => ({ query: `${at}.self_attn.q_norm`, key: `${at}.self_attn.k_norm` });

/** Qwen3: a Llama with a norm on each head's query and key. */
export const qwen3 = defineArchitecture({
  name: 'Qwen3ForCausalLM',
  modelType: 'qwen3',
  fields: {
    hidden_act: z.literal('silu').default('silu'),
    attention_bias: z.literal(false).nullish(),
    use_sliding_window: z.literal(false).nullish(),
  },
  shape: (raw) => ({
    keyValueHeads: raw.num_key_value_heads ?? 32,
    headSize: raw.head_dim ?? 128,
  }),
  parameters: (config, at) => preNormParameters(config, at, ...Object.values(headNorms(at))),
  layer: (ops, layer, stream) => preNormLayer(ops, layer, stream, headNorms(`model.layers.${layer}`)),
});
