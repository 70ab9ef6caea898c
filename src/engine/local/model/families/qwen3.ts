import { z } from 'zod';
import { defineArchitecture } from '../architecture.ts';
import { noBias } from '../config-json.ts';
import { preNormLayer, preNormParameters } from '../decoder-parts.ts';
import { qwenFields, qwenSights } from './qwen-window.ts';

const headNorms = (at: string) => ({ query: `${at}.self_attn.q_norm`, key: `${at}.self_attn.k_norm` });

/** Qwen3: a Llama with a norm on each head's query and key. */
export const qwen3 = defineArchitecture({
  name: 'Qwen3ForCausalLM',
  modelType: 'qwen3',
  fields: { ...qwenFields, head_dim: z.int(), mlp_bias: noBias },
  defaults: { num_key_value_heads: 32, head_dim: 128 },
  shape: (raw, fail) => ({ sights: qwenSights(raw, fail) }),
  parameters: (config, at) => preNormParameters(config, at, ...Object.values(headNorms(at))),
  layer: (ops, layer, stream) => preNormLayer(ops, layer, stream, headNorms(`model.layers.${layer}`)),
});
