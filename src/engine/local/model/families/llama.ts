import { z } from 'zod';
import { defineArchitecture } from '../architecture.ts';
import { preNormLayer, preNormParameters } from '../decoder-parts.ts';

/** Llama (Touvron et al. 2023). */
export const llama = defineArchitecture({
  name: 'LlamaForCausalLM',
  modelType: 'llama',
  fields: {
    hidden_act: z.literal('silu').default('silu'),
    attention_bias: z.literal(false).nullish(),
    mlp_bias: z.literal(false).nullish(),
  },
  shape: () => ({}),
  parameters: preNormParameters,
  layer: preNormLayer,
});
