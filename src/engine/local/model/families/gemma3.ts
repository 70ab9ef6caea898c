import { z } from 'zod';
import { defineArchitecture } from '../architecture.ts';
import { activationOf, noBias, slidingLayers, windowOf } from '../config-json.ts';
import { gainOf, gatedUnits, parametersOf, projectionsOf } from '../decoder-parts.ts';
import { readRopes, ropesByLayer } from '../rope-parameters.ts';

const fields = {
  hidden_activation: z.string().default('gelu_pytorch_tanh'),
  query_pre_attn_scalar: z.number().positive().default(256),
  /** Every such layer sees the whole text, where `layer_types` does not say which do. */
  sliding_window_pattern: z.int().positive().default(6),
  /** What transformers writes beside `layer_types`, and does not read. */
  _sliding_window_pattern: z.int().nullish(),
  rope_local_base_freq: z.number().positive().nullish(),
  ...ropesByLayer,
  final_logit_softcapping: z.number().positive().nullish(),
  mlp_bias: noBias,
};

/** The text models of Gemma 3 (Gemma Team 2025): four norms a layer, windows in most layers, and two ropes. */
export const gemma3 = defineArchitecture({
  name: 'Gemma3ForCausalLM',
  modelType: 'gemma3_text',
  fields,
  defaults: { num_key_value_heads: 4, head_dim: 256, tie_word_embeddings: true, sliding_window: 4096 },
  /** Whole-text layers turn slower than sliding ones, and only theirs are scaled. */
  ropes: (raw, model, fail) =>
    readRopes(
      raw,
      { ...model, defaultTheta: 1_000_000 },
      { defaultTheta: model.defaultTheta, theta: raw.rope_local_base_freq },
      fail,
    ),
  shape(raw, fail) {
    const rule = (layer: number) => (layer + 1) % raw.sliding_window_pattern !== 0;
    const window = windowOf(raw, raw.sliding_window);
    const sliding = slidingLayers(raw, raw.sliding_window, rule, fail);
    return {
      activation: activationOf('hidden_activation', raw.hidden_activation, fail),
      scoreScale: raw.query_pre_attn_scalar ** -0.5,
      gainOffset: 1,
      embeddingScale: Math.sqrt(raw.hidden_size),
      logitCap: raw.final_logit_softcapping ?? undefined,
      sights: sliding.map((slides) => (slides ? { rope: 1, window } : { rope: 0 })),
    };
  },
  parameters(config, at) {
    const { query, key, value, out, gate, up, down } = projectionsOf(config, at);
    return [
      gainOf(`${at}.input_layernorm`, config.hiddenSize),
      ...parametersOf(config, query, key, value, out),
      gainOf(`${at}.self_attn.q_norm`, config.headSize),
      gainOf(`${at}.self_attn.k_norm`, config.headSize),
      gainOf(`${at}.post_attention_layernorm`, config.hiddenSize),
      gainOf(`${at}.pre_feedforward_layernorm`, config.hiddenSize),
      ...parametersOf(config, gate, up, down),
      gainOf(`${at}.post_feedforward_layernorm`, config.hiddenSize),
    ];
  },
  layer(ops, layer, stream) {
    const at = `model.layers.${layer}`;
    const { query, key, value, out, down } = projectionsOf(ops.config, at);
    const norm = (x: string, name: string) => ops.norm(x, `${at}.${name}`, ops.config.hiddenSize);
    const headNorms = { query: `${at}.self_attn.q_norm`, key: `${at}.self_attn.k_norm` };
    const projected = ops.project(norm(stream, 'input_layernorm'), query, key, value);
    const mixed = ops.asked(layer, ops.attend(layer, projected, headNorms));
    const attended = ops.add(ops.asked(layer, stream), norm(ops.project(mixed, out), 'post_attention_layernorm'));
    const inner = gatedUnits(ops, at, norm(attended, 'pre_feedforward_layernorm'));
    return ops.add(attended, norm(ops.project(inner, down), 'post_feedforward_layernorm'));
  },
});
