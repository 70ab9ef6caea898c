import { defineArchitecture } from '../architecture.ts';
import { windowNowhere } from '../config-json.ts';
import { preNormLayer, preNormParameters } from '../decoder-parts.ts';

/** Llama (Touvron et al. 2023), and whatever its authors called so since: SmolLM2, TinyLlama, Llama 3. */
export const llama = defineArchitecture({
  name: 'LlamaForCausalLM',
  modelType: 'llama',
  fields: {},
  shape: (raw, fail) => ({ sights: windowNowhere(raw, fail) }),
  parameters: preNormParameters,
  layer: preNormLayer,
});
