import { defineArchitecture } from '../architecture.ts';
import { noBias, windowEverywhere } from '../config-json.ts';
import { preNormLayer, preNormParameters } from '../decoder-parts.ts';

/** Mistral (Jiang et al. 2023): a Llama that sees a window of the text. */
export const mistral = defineArchitecture({
  name: 'MistralForCausalLM',
  modelType: 'mistral',
  fields: { attention_bias: noBias, mlp_bias: noBias },
  defaults: { num_key_value_heads: 8, sliding_window: 4096 },
  shape: (raw, fail) => ({ sights: windowEverywhere(raw, fail) }),
  parameters: preNormParameters,
  layer: preNormLayer,
});
