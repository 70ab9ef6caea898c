import { z } from 'zod';
import { defineArchitecture } from '../architecture.ts';
import { slidingLayers, windowOf } from '../config-json.ts';
import { preNormLayer, preNormParameters } from '../decoder-parts.ts';
import { readRope } from '../rope-parameters.ts';

/** SmolLM3: a Llama in which every fourth layer knows no positions (Yang et al. 2025, "RNoPE"). */
export const smolLm3 = defineArchitecture({
  name: 'SmolLM3ForCausalLM',
  modelType: 'smollm3',
  fields: {
    /** One entry a layer, 0 where nothing turns. */
    no_rope_layers: z.array(z.int()).nullish(),
    no_rope_layer_interval: z.int().positive().default(4),
    use_sliding_window: z.boolean().default(false),
  },
  defaults: { num_key_value_heads: 4, tie_word_embeddings: true },
  ropes: (raw, model, fail) => [readRope(raw, { ...model, defaultTheta: 2_000_000 }, fail)],
  shape(raw, fail) {
    const { no_rope_layers: listed, no_rope_layer_interval: interval, sliding_window: given } = raw;
    if (listed && listed.length < raw.num_hidden_layers) fail(`no_rope_layers has ${listed.length} entries, too few`);
    const turns = (layer: number) => (listed ? listed[layer] !== 0 : (layer + 1) % interval !== 0);
    const rule = (layer: number) => raw.use_sliding_window && Boolean(given) && !turns(layer);
    const window = windowOf(raw, given);
    const sights = slidingLayers(raw, given, rule, fail).map((slides, layer) => ({
      rope: turns(layer) ? 0 : undefined,
      window: slides ? window : undefined,
    }));
    return { sights };
  },
  parameters: preNormParameters,
  layer: preNormLayer,
});
