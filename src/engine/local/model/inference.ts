import type { GraphBuilder, Value } from '../compiler/onnx/graph-builder.ts';
import { type LlamaConfig, parameterShapes } from './llama-config.ts';

/**
 * @file The decoder without gradients: the same arithmetic as `llama.ts` in fewer nodes, because at one token a step the
 * nodes cost more than the arithmetic. Queries, keys and values come from one product, norms add the residual on the
 * way, weights are turned once per run. How tokens look at each other is the caller's: a prompt looks at itself,
 * a generated
 * token at the prompt and at what was generated before it.
 */

/** Weights as products want them, `[in, out]`. The softmax scale is already in the queries' part. */
type LayerWeights = {
  readonly inputNorm: Value;
  readonly queryKeyValue: Value;
  readonly bias: Value | undefined;
  readonly queryNorm: Value | undefined;
  readonly keyNorm: Value | undefined;
  readonly out: Value;
  readonly innerNorm: Value;
  readonly gate: Value;
  readonly up: Value;
  readonly down: Value;
};

export type DecoderWeights = {
  readonly embedding: Value;
  readonly layers: readonly LayerWeights[];
  readonly norm: Value;
  readonly head: Value;
};

/** Queries `[batch, heads, time, size]`, scaled and rotated; keys and values `[batch, keyValueHeads, time, size]`. */
export type Heads = { readonly queries: Value; readonly keys: Value; readonly values: Value };

/** What each token takes from those that it may look at: `[batch * time, heads * size]`. */
export type Attend = (layer: number, heads: Heads) => Value;

export type DecoderInputs = {
  /** int64 `[batch * time]`. */
  readonly tokens: Value;
  /** int64: `[batch, time, heads + 2 keyValueHeads, size]`; absent where each row is one token (time 1). */
  readonly split?: Value;
  /** int64 `[batch, time]`, or `[1]`: the first of consecutive positions. */
  readonly position: Value;
  /** `[positions, size / 2]`. */
  readonly cos: Value;
  readonly sin: Value;
  /** int64: the rows of `[batch * time]` whose last states are wanted; absent means all. */
  readonly wanted?: Value;
};

/** Inputs of a padded batch of texts, whose positions start at 0, and the mask `[group * time, time]` that orders them. */
export function declareText(graph: GraphBuilder, config: LlamaConfig): { text: DecoderInputs; causalMask: Value } {
  const text = {
    tokens: graph.input('tokens', 'int64', ['tokens']),
    split: graph.input('split', 'int64', [4]),
    position: graph.integers([0]),
    cos: graph.input('cos', 'float32', ['positions', config.headSize / 2]),
    sin: graph.input('sin', 'float32', ['positions', config.headSize / 2]),
  };
  return { text, causalMask: graph.input('causalMask', 'float32', ['queries', 'time']) };
}

/** Declares the parameters as inputs of the graph and emits, once per run, the form in which products read them. */
export function decoderWeights(graph: GraphBuilder, config: LlamaConfig): DecoderWeights {
  for (const { name, shape } of parameterShapes(config)) graph.input(name, 'float32', shape);
  const embedding = 'model.embed_tokens.weight';
  return {
    embedding,
    layers: Array.from({ length: config.layers }, (_, layer) => layerWeights(graph, config, `model.layers.${layer}`)),
    norm: 'model.norm.weight',
    head: turned(graph, config.tiedEmbedding ? embedding : 'lm_head.weight'),
  };
}

function layerWeights(graph: GraphBuilder, config: LlamaConfig, at: string): LayerWeights {
  const { headSize, queryKeyNorm, queryKeyValueBias } = config;
  const attention = `${at}.self_attn`;
  const scaled = (value: Value) => graph.op('Mul', [value, graph.scalar(headSize ** -0.5)]);
  // a norm would undo a scale that comes before it, so there the scale goes into the norm's gain
  const query = (kind: 'weight' | 'bias') =>
    queryKeyNorm ? `${attention}.q_proj.${kind}` : scaled(`${attention}.q_proj.${kind}`);
  const joined = (kind: 'weight' | 'bias') =>
    graph.op('Concat', [query(kind), `${attention}.k_proj.${kind}`, `${attention}.v_proj.${kind}`], { axis: 0 });
  return {
    inputNorm: `${at}.input_layernorm.weight`,
    queryKeyValue: turned(graph, joined('weight')),
    bias: queryKeyValueBias ? joined('bias') : undefined,
    queryNorm: queryKeyNorm ? scaled(`${attention}.q_norm.weight`) : undefined,
    keyNorm: queryKeyNorm ? `${attention}.k_norm.weight` : undefined,
    out: turned(graph, `${attention}.o_proj.weight`),
    innerNorm: `${at}.post_attention_layernorm.weight`,
    gate: turned(graph, `${at}.mlp.gate_proj.weight`),
    up: turned(graph, `${at}.mlp.up_proj.weight`),
    down: turned(graph, `${at}.mlp.down_proj.weight`),
  };
}

const turned = (graph: GraphBuilder, weight: Value): Value => graph.op('Transpose', [weight], { perm: [1, 0] });

/** Last hidden states, normalised, `[batch * time, width]`, or the wanted rows of them. */
export function decoderStates(
  graph: GraphBuilder,
  config: LlamaConfig,
  weights: DecoderWeights,
  inputs: DecoderInputs,
  attend: Attend,
): Value {
  let hidden = graph.op('Gather', [weights.embedding, inputs.tokens], { axis: 0 });
  let update: Value | undefined;
  weights.layers.forEach((layer, index) => {
    // what the last layer makes of the others is read by nobody
    const only = index === config.layers - 1 ? inputs.wanted : undefined;
    const wanted = (rows: Value) => (only === undefined ? rows : graph.op('Gather', [rows, only], { axis: 0 }));
    const [before, entered] = normed(graph, config, hidden, update, layer.inputNorm);
    const mixed = attend(index, projectedHeads(graph, config, layer, before, inputs));
    const attended = graph.op('MatMul', [wanted(mixed), layer.out]);
    const [between, inner] = normed(graph, config, wanted(entered), attended, layer.innerNorm);
    hidden = inner;
    update = feedForward(graph, layer, between);
  });
  return normed(graph, config, hidden, update, weights.norm)[0];
}

export function logits(graph: GraphBuilder, weights: DecoderWeights, states: Value): Value {
  return graph.op('MatMul', [states, weights.head]);
}

/** RMSNorm of hidden + update, and that sum. */
function normed(
  graph: GraphBuilder,
  { normEpsilon }: LlamaConfig,
  hidden: Value,
  update: Value | undefined,
  gain: Value,
): [Value, Value] {
  const epsilon = { float: normEpsilon };
  if (update === undefined) {
    return [graph.op('SimplifiedLayerNormalization', [hidden, gain], { axis: -1, epsilon, stash_type: 1 }), hidden];
  }
  const inputs = [hidden, update, gain];
  const [output, , , sum] = graph.ops('SkipSimplifiedLayerNormalization', inputs, 4, { epsilon }, 'com.microsoft');
  return [output!, sum!];
}

function projectedHeads(
  graph: GraphBuilder,
  config: LlamaConfig,
  layer: LayerWeights,
  x: Value,
  { split, position, cos, sin }: DecoderInputs,
): Heads {
  const { heads, keyValueHeads } = config;
  const product = graph.op('MatMul', [x, layer.queryKeyValue]);
  const biased = layer.bias === undefined ? product : graph.op('Add', [product, layer.bias]);
  const byHead = splitHeads(graph, config, biased, split);
  const parts = graph.integers([heads + keyValueHeads, keyValueHeads]);
  const [queriesKeys, values] = graph.ops('Split', [byHead, parts], 2, { axis: 1 });
  const straight = layer.queryNorm === undefined ? queriesKeys! : headNorms(graph, config, layer, queriesKeys!);
  const rotated = graph.microsoft('RotaryEmbedding', [straight, position, cos, sin]);
  const [queries, keys] = graph.ops('Split', [rotated, graph.integers([heads, keyValueHeads])], 2, { axis: 1 });
  return { queries: queries!, keys: keys!, values: values! };
}

/** Qwen3: each head's query and key has a norm. */
function headNorms(graph: GraphBuilder, config: LlamaConfig, layer: LayerWeights, queriesKeys: Value): Value {
  const sizes = graph.integers([config.heads, config.keyValueHeads]);
  const [queries, keys] = graph.ops('Split', [queriesKeys, sizes], 2, { axis: 1 });
  const [query] = normed(graph, config, queries!, undefined, layer.queryNorm!);
  const [key] = normed(graph, config, keys!, undefined, layer.keyNorm!);
  return graph.op('Concat', [query, key], { axis: 1 });
}

/** `[batch * time, (heads + 2 keyValueHeads) * size]` to `[batch, heads + 2 keyValueHeads, time, size]`. */
function splitHeads(graph: GraphBuilder, config: LlamaConfig, rows: Value, split: Value | undefined): Value {
  const { heads, keyValueHeads, headSize } = config;
  if (split !== undefined) return graph.op('Transpose', [graph.op('Reshape', [rows, split])], { perm: [0, 2, 1, 3] });
  return graph.op('Reshape', [rows, graph.integers([-1, heads + 2 * keyValueHeads, 1, headSize])]);
}

function feedForward(graph: GraphBuilder, layer: LayerWeights, x: Value): Value {
  const gate = graph.microsoft('QuickGelu', [graph.op('MatMul', [x, layer.gate])], { alpha: { float: 1 } }); // SiLU
  const inner = graph.op('Mul', [gate, graph.op('MatMul', [x, layer.up])]);
  return graph.op('MatMul', [inner, layer.down]);
}

/** Each token of a text looks at itself and at what stands before it; `mask` is `[group * time, time]`. */
export function attendToSelf(
  graph: GraphBuilder,
  config: LlamaConfig,
  mask: Value,
  { queries, keys, values }: Heads,
): Value {
  const { heads, keyValueHeads, headSize } = config;
  const folded = graph.op('Reshape', [queries, graph.integers([0, keyValueHeads, -1, headSize])]);
  const scores = graph.microsoft('FusedMatMul', [folded, keys], { transB: 1 });
  const shares = graph.op('Softmax', [graph.op('Add', [scores, mask])], { axis: -1 });
  const mixed = graph.op('Reshape', [graph.op('MatMul', [shares, values]), graph.integers([0, heads, -1, headSize])]);
  const byToken = graph.op('Transpose', [mixed], { perm: [0, 2, 1, 3] });
  return graph.op('Reshape', [byToken, graph.integers([-1, heads * headSize])]);
}
