import { z } from 'zod';
import { defineArchitecture } from '../architecture.ts';
import { noBias, windowEverywhere } from '../config-json.ts';
import { gainOf, parametersOf, projectionsOf } from '../decoder-parts.ts';
import type { ModelConfig } from '../model-config.ts';
import { readRope } from '../rope-parameters.ts';

/** Queries, keys and values are one matrix, gate and up another. */
function fused(config: ModelConfig, at: string) {
  const { query, key, value, gate, out, down } = projectionsOf(config, at);
  return {
    queryKeyValue: { ...query, name: `${at}.self_attn.qkv_proj`, to: query.to + key.to + value.to },
    gateUp: { ...gate, name: `${at}.mlp.gate_up_proj`, to: 2 * gate.to },
    out,
    down,
  };
}

/** Phi-3, Phi-3.5 and Phi-4 mini: a Llama with fused projections. */
export const phi3 = defineArchitecture({
  name: 'Phi3ForCausalLM',
  modelType: 'phi3',
  fields: { attention_bias: noBias, mlp_bias: noBias, original_max_position_embeddings: z.int().default(4096) },
  ropes: (raw, model, fail) => [readRope(raw, { ...model, types: ['default', 'longrope'], partial: true }, fail)],
  shape: (raw, fail) => ({ sights: windowEverywhere(raw, fail) }),
  parameters(config, at) {
    const { queryKeyValue, out, gateUp, down } = fused(config, at);
    return [
      gainOf(`${at}.input_layernorm`, config.hiddenSize),
      ...parametersOf(config, queryKeyValue, out),
      gainOf(`${at}.post_attention_layernorm`, config.hiddenSize),
      ...parametersOf(config, gateUp, down),
    ];
  },
  layer(ops, layer, stream) {
    const { hiddenSize, intermediateSize } = ops.config;
    const at = `model.layers.${layer}`;
    const { queryKeyValue, out, gateUp, down } = fused(ops.config, at);
    const before = ops.norm(stream, `${at}.input_layernorm`, hiddenSize);
    const mixed = ops.attend(layer, ops.project(before, queryKeyValue));
    const attended = ops.projectOnto(ops.asked(layer, stream), ops.asked(layer, mixed), out);
    const between = ops.norm(attended, `${at}.post_attention_layernorm`, hiddenSize);
    const [gate, up] = ops.apart(ops.project(between, gateUp), [intermediateSize, intermediateSize]);
    return ops.projectOnto(attended, ops.gated(gate!, up!), down); // two widths, two parts
  },
});
