import type { Value } from '../compiler/onnx/graph-builder.ts';
import type { DecoderOps, HeadNorms, Projection } from './decoder-ops.ts';
import type { ModelConfig, ParameterShape } from './model-config.ts';

/** @file What most families have in common, under the names that transformers gives it. */

/** The matrices of layer `at`, such as `model.layers.0`. */
export function projectionsOf(config: ModelConfig, at: string) {
  const { hiddenSize, intermediateSize, headSize } = config;
  const queries = config.heads * headSize;
  const keys = config.keyValueHeads * headSize;
  return {
    query: { name: `${at}.self_attn.q_proj`, from: hiddenSize, to: queries },
    key: { name: `${at}.self_attn.k_proj`, from: hiddenSize, to: keys },
    value: { name: `${at}.self_attn.v_proj`, from: hiddenSize, to: keys },
    out: { name: `${at}.self_attn.o_proj`, from: queries, to: hiddenSize },
    gate: { name: `${at}.mlp.gate_proj`, from: hiddenSize, to: intermediateSize },
    up: { name: `${at}.mlp.up_proj`, from: hiddenSize, to: intermediateSize },
    down: { name: `${at}.mlp.down_proj`, from: intermediateSize, to: hiddenSize },
  };
}

/** The weight of each projection, and its bias where the config has one. */
export function parametersOf(config: ModelConfig, ...projections: readonly Projection[]): ParameterShape[] {
  return projections.flatMap(({ name, from, to }) => {
    const weight = { name: `${name}.weight`, shape: [to, from] };
    return hasBias(config, name) ? [weight, { name: `${name}.bias`, shape: [to] }] : [weight];
  });
}

/** Whether the projection of this name has a bias. */
export const hasBias = ({ biased }: ModelConfig, name: string): boolean =>
  biased.includes(name.slice(name.lastIndexOf('.') + 1));

/** The gain of a norm. */
export const gainOf = (name: string, width: number): ParameterShape => ({ name: `${name}.weight`, shape: [width] });

/** Parameters of {@link preNormLayer}. @param headNorms gains of the norms of each head. */
export function preNormParameters(config: ModelConfig, at: string, ...headNorms: readonly string[]): ParameterShape[] {
  const { query, key, value, out, gate, up, down } = projectionsOf(config, at);
  return [
    gainOf(`${at}.input_layernorm`, config.hiddenSize),
    ...parametersOf(config, query, key, value),
    ...headNorms.map((name) => gainOf(name, config.headSize)),
    ...parametersOf(config, out),
    gainOf(`${at}.post_attention_layernorm`, config.hiddenSize),
    ...parametersOf(config, gate, up, down),
  ];
}

/** The layer of Llama (Touvron et al. 2023): a norm before attention, and one before the feed-forward network. */
export function preNormLayer(ops: DecoderOps, layer: number, stream: Value, headNorms?: HeadNorms): Value {
  const { hiddenSize } = ops.config;
  const at = `model.layers.${layer}`;
  const { query, key, value, out, down } = projectionsOf(ops.config, at);
  const before = ops.norm(stream, `${at}.input_layernorm`, hiddenSize);
  const mixed = ops.attend(layer, ops.project(before, query, key, value), headNorms);
  const attended = ops.projectOnto(ops.asked(layer, stream), ops.asked(layer, mixed), out);
  const between = ops.norm(attended, `${at}.post_attention_layernorm`, hiddenSize);
  return ops.projectOnto(attended, gatedUnits(ops, at, between), down);
}

/** The inner units of the gated feed-forward network (Shazeer 2020). */
export function gatedUnits(ops: DecoderOps, at: string, x: Value): Value {
  const { gate, up } = projectionsOf(ops.config, at);
  return ops.gated(ops.project(x, gate), ops.project(x, up));
}
