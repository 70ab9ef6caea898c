import { z } from 'zod';
import { defineArchitecture } from '../architecture.ts';
import { preNormLayer, preNormParameters } from '../decoder-parts.ts';

/** Qwen2 and Qwen2.5: a Llama with biases on queries, keys and values. */
export const qwen2 = defineArchitecture({
  name: 'Qwen2ForCausalLM',
  modelType: 'qwen2',
  fields: {
    hidden_act: z.literal('silu').default('silu'),
    use_sliding_window: z.literal(false).nullish(),
  },
  shape: (raw) => ({
    biased: ['q_proj', 'k_proj', 'v_proj'],
    keyValueHeads: raw.num_key_value_heads ?? 32,
  }),
  parameters: preNormParameters,
  layer: preNormLayer,
});
