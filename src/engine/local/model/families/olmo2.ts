import { defineArchitecture } from '../architecture.ts';
import { noBias, windowNowhere } from '../config-json.ts';
import { gainOf, gatedUnits, parametersOf, projectionsOf } from '../decoder-parts.ts';

/** OLMo 2 (Team OLMo 2024): norms behind attention and feed-forward network, and on all queries and all keys at once. */
export const olmo2 = defineArchitecture({
  name: 'Olmo2ForCausalLM',
  modelType: 'olmo2',
  fields: { mlp_bias: noBias },
  shape: (raw, fail) => ({ sights: windowNowhere(raw, fail) }),
  parameters(config, at) {
    const { query, key, value, out, gate, up, down } = projectionsOf(config, at);
    return [
      ...parametersOf(config, query, key, value, out),
      gainOf(`${at}.self_attn.q_norm`, query.to),
      gainOf(`${at}.self_attn.k_norm`, key.to),
      ...parametersOf(config, gate, up, down),
      gainOf(`${at}.post_attention_layernorm`, config.hiddenSize),
      gainOf(`${at}.post_feedforward_layernorm`, config.hiddenSize),
    ];
  },
  layer(ops, layer, stream) {
    const { hiddenSize } = ops.config;
    const at = `model.layers.${layer}`;
    const { query, key, value, out, down } = projectionsOf(ops.config, at);
    const queries = ops.norm(ops.project(stream, query), `${at}.self_attn.q_norm`, query.to);
    const keys = ops.norm(ops.project(stream, key), `${at}.self_attn.k_norm`, key.to);
    const parts = [queries, keys, ops.project(stream, value)];
    const mixed = ops.attend(layer, ops.beside(parts, [query.to, key.to, value.to]));
    const update = ops.project(ops.asked(layer, mixed), out);
    const attended = ops.add(ops.asked(layer, stream), ops.norm(update, `${at}.post_attention_layernorm`, hiddenSize));
    const inner = ops.project(gatedUnits(ops, at, attended), down);
    return ops.add(attended, ops.norm(inner, `${at}.post_feedforward_layernorm`, hiddenSize));
  },
});
