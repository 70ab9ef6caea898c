import { defineArchitecture } from '../architecture.ts';
import { noBias } from '../config-json.ts';
import { preNormLayer, preNormParameters } from '../decoder-parts.ts';
import { qwenFields, qwenSights } from './qwen-window.ts';

/** Qwen2 and Qwen2.5: a Llama with biases on queries, keys and values. */
export const qwen2 = defineArchitecture({
  name: 'Qwen2ForCausalLM',
  modelType: 'qwen2',
  fields: { ...qwenFields, attention_bias: noBias, mlp_bias: noBias },
  defaults: { num_key_value_heads: 32 },
  shape: (raw, fail) => ({ biased: ['q_proj', 'k_proj', 'v_proj'], sights: qwenSights(raw, fail) }),
  parameters: preNormParameters,
  layer: preNormLayer,
});
