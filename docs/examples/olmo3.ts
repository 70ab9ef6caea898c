import { architectureOf, defineArchitecture, readRopes, ropesByLayer, slidingLayers, windowOf } from 'unrut';

const olmo2 = architectureOf({ architecture: 'Olmo2ForCausalLM' });

/** OLMo 3 has the layers of OLMo 2, but three in four of them see only a window of the text. */
export const olmo3 = defineArchitecture({
  name: 'Olmo3ForCausalLM',
  modelType: 'olmo3',
  fields: ropesByLayer,
  defaults: { sliding_window: 4096 },
  ropes: (raw, model, fail) => readRopes(raw, { ...model, defaultTheta: 500_000 }, {}, fail),
  shape(raw, fail) {
    const sliding = slidingLayers(raw, raw.sliding_window, (layer) => (layer + 1) % 4 !== 0, fail);
    const window = windowOf(raw, raw.sliding_window);
    return { sights: sliding.map((slides) => (slides ? { rope: 1, window } : { rope: 0 })) };
  },
  parameters: olmo2.parameters,
  layer: olmo2.layer,
});
