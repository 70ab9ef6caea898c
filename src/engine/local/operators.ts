import type { GraphBuilder, Value } from './onnx/graph-builder.ts';

/**
 * @file Reverse-mode differentiation is this table: one entry per operator, with the nodes it emits forward and the
 * nodes that turn the gradient of its output into those of its inputs. Shapes in comments; `time` and `batch` are free.
 */

/** What an operator's backward rule may use. */
export type Recorded = {
  readonly inputs: readonly Value[];
  readonly output: Value;
  /** Values kept by the forward pass. */
  readonly saved: readonly Value[];
};

type Forward = { readonly output: Value; readonly saved?: readonly Value[] };

export type Operator<Options> = {
  forward(graph: GraphBuilder, inputs: readonly Value[], options: Options): Forward;
  /** One gradient per input; undefined for an input that has none (indices, constants). */
  backward(graph: GraphBuilder, node: Recorded, gradient: Value, options: Options): readonly (Value | undefined)[];
};

const operator = <Options>(definition: Operator<Options>): Operator<Options> => definition;

/** Sums over all but the last axis: `[..., n]` to `[n]`. */
function sumRows(graph: GraphBuilder, value: Value, width: number): Value {
  const rows = graph.op('Reshape', [value, graph.integers([-1, width])]);
  return graph.op('ReduceSum', [rows, graph.integers([0])], { keepdims: 0 });
}

export const operators = {
  /** x + y, same shape. */
  add: operator<object>({
    forward: (graph, inputs) => ({ output: graph.op('Add', inputs) }),
    backward: (_graph, _node, gradient) => [gradient, gradient],
  }),

  /** x + b with b `[width]`. */
  bias: operator<{ readonly width: number }>({
    forward: (graph, inputs) => ({ output: graph.op('Add', inputs) }),
    backward: (graph, _node, gradient, { width }) => [gradient, sumRows(graph, gradient, width)],
  }),

  /** x `[batch, time, in]` times the transpose of a weight `[out, in]`. */
  linear: operator<{ readonly from: number; readonly to: number }>({
    forward: (graph, inputs) => ({ output: graph.microsoft('FusedMatMul', inputs, { transB: 1 }) }),
    backward: (graph, { inputs: [x, weight] }, gradient, { from, to }) => {
      const rows = graph.op('Reshape', [x!, graph.integers([-1, from])]);
      const gradientRows = graph.op('Reshape', [gradient, graph.integers([-1, to])]);
      return [
        graph.op('MatMul', [gradient, weight!]),
        graph.microsoft('FusedMatMul', [gradientRows, rows], { transA: 1 }),
      ];
    },
  }),

  /** RMSNorm over the last axis times a gain: y = x / rms(x) * gain. */
  rmsNorm: operator<{ readonly width: number; readonly epsilon: number }>({
    forward: (graph, inputs, { epsilon }) => {
      const attributes = { axis: -1, epsilon: { float: epsilon }, stash_type: 1 };
      const [output, inverse] = graph.ops('SimplifiedLayerNormalization', inputs, 2, attributes);
      return { output: output!, saved: [inverse!] };
    },
    backward: (graph, { inputs: [x, gain], saved: [inverse] }, gradient, { width }) => {
      const normed = graph.op('Mul', [x!, inverse!]);
      const scaled = graph.op('Mul', [gradient, gain!]);
      const projection = graph.op('ReduceMean', [graph.op('Mul', [scaled, normed]), graph.integers([-1])]);
      const removed = graph.op('Sub', [scaled, graph.op('Mul', [normed, projection])]);
      return [graph.op('Mul', [removed, inverse!]), sumRows(graph, graph.op('Mul', [gradient, normed]), width)];
    },
  }),

  /** `[batch, time, heads * size]` to `[batch, heads, time, size]`. */
  splitHeads: operator<{ readonly heads: number; readonly size: number }>({
    forward: (graph, [x], { heads, size }) => {
      const split = graph.op('Reshape', [x!, graph.integers([0, 0, heads, size])]);
      return { output: graph.op('Transpose', [split], { perm: [0, 2, 1, 3] }) };
    },
    backward: (graph, _node, gradient, { heads, size }) => [joinHeads(graph, gradient, heads * size)],
  }),

  /** The inverse of splitHeads. */
  joinHeads: operator<{ readonly heads: number; readonly size: number }>({
    forward: (graph, [x], { heads, size }) => ({ output: joinHeads(graph, x!, heads * size) }),
    backward: (graph, _node, gradient, { heads, size }) => {
      const split = graph.op('Reshape', [gradient, graph.integers([0, 0, heads, size])]);
      return [graph.op('Transpose', [split], { perm: [0, 2, 1, 3] })];
    },
  }),

  /**
   * Folds the query heads of a group into the rows of their one key head, so that keys need no copies:
   * `[batch, heads, time, size]` to `[batch, keyHeads, group * time, size]`.
   */
  foldGroups: operator<{ readonly heads: number; readonly keyHeads: number; readonly size: number }>({
    forward: (graph, [x], { keyHeads, size }) => ({
      output: graph.op('Reshape', [x!, graph.integers([0, keyHeads, -1, size])]),
    }),
    backward: (graph, _node, gradient, { heads, size }) => [
      graph.op('Reshape', [gradient, graph.integers([0, heads, -1, size])]),
    ],
  }),

  /** The inverse of foldGroups. */
  unfoldGroups: operator<{ readonly heads: number; readonly keyHeads: number; readonly size: number }>({
    forward: (graph, [x], { heads, size }) => ({
      output: graph.op('Reshape', [x!, graph.integers([0, heads, -1, size])]),
    }),
    backward: (graph, _node, gradient, { keyHeads, size }) => [
      graph.op('Reshape', [gradient, graph.integers([0, keyHeads, -1, size])]),
    ],
  }),

  /** Rotary embedding of `[batch, heads, time, size]`; cos and sin are `[positions, size / 2]`. Turning back is the gradient. */
  rotary: operator<object>({
    forward: (graph, [x, position, cos, sin]) => ({
      output: graph.microsoft('RotaryEmbedding', [x!, position!, cos!, sin!]),
    }),
    backward: (graph, { inputs: [, position, cos, sin] }, gradient) => {
      const back = graph.op('Neg', [sin!]);
      return [graph.microsoft('RotaryEmbedding', [gradient, position!, cos!, back]), undefined, undefined, undefined];
    },
  }),

  /** Queries times keys, scaled: `[batch, heads, rows, size]` and `[batch, heads, time, size]` to `[..., rows, time]`. */
  scores: operator<{ readonly scale: number }>({
    forward: (graph, inputs, { scale }) => ({
      output: graph.microsoft('FusedMatMul', inputs, { transB: 1, alpha: { float: scale } }),
    }),
    backward: (graph, { inputs: [queries, keys] }, gradient, { scale }) => [
      graph.microsoft('FusedMatMul', [gradient, keys!], { alpha: { float: scale } }),
      graph.microsoft('FusedMatMul', [gradient, queries!], { transA: 1, alpha: { float: scale } }),
    ],
  }),

  /** Softmax over the last axis of x + mask. */
  maskedSoftmax: operator<object>({
    forward: (graph, inputs) => ({ output: graph.op('Softmax', [graph.op('Add', inputs)], { axis: -1 }) }),
    backward: (graph, { output }, gradient) => {
      const weighted = graph.op('Mul', [gradient, output]);
      const total = graph.op('ReduceSum', [weighted, graph.integers([-1])]);
      return [graph.op('Sub', [weighted, graph.op('Mul', [output, total])]), undefined];
    },
  }),

  /** Attention weights times values. */
  mix: operator<object>({
    forward: (graph, inputs) => ({ output: graph.op('MatMul', inputs) }),
    backward: (graph, { inputs: [weights, values] }, gradient) => [
      graph.microsoft('FusedMatMul', [gradient, values!], { transB: 1 }),
      graph.microsoft('FusedMatMul', [weights!, gradient], { transA: 1 }),
    ],
  }),

  /** silu(gate) * up. */
  swiglu: operator<object>({
    forward: (graph, [gate, up]) => {
      const sigmoid = graph.op('Sigmoid', [gate!]);
      const silu = graph.op('Mul', [gate!, sigmoid]);
      return { output: graph.op('Mul', [silu, up!]), saved: [sigmoid, silu] };
    },
    backward: (graph, { inputs: [, up], saved: [sigmoid, silu] }, gradient) => {
      const bend = graph.op('Sub', [graph.op('Add', [sigmoid!, silu!]), graph.op('Mul', [sigmoid!, silu!])]);
      return [graph.op('Mul', [graph.op('Mul', [gradient, up!]), bend]), graph.op('Mul', [gradient, silu!])];
    },
  }),

  /** Rows of a table `[vocabulary, width]` at indices `[batch, time]`. */
  embed: operator<{ readonly width: number }>({
    forward: (graph, [table, indices]) => ({ output: graph.op('Gather', [table!, indices!], { axis: 0 }) }),
    backward: (graph, { inputs: [table, indices] }, gradient, { width }) => {
      const zeros = graph.op('Mul', [table!, graph.scalar(0)]);
      const rows = graph.op('Reshape', [gradient, graph.integers([-1, width])]);
      const places = graph.op('Reshape', [indices!, graph.integers([-1, 1])]);
      return [graph.op('ScatterND', [zeros, places, rows], { reduction: 'add' }), undefined];
    },
  }),

  /**
   * sum_k q_k log softmax(logits)[target_k]: logits `[batch, time, vocabulary]`, targets and q `[batch, time, k]`, to
   * `[batch, time]`. A hard target is k = 1, q = 1.
   */
  targetLogprob: operator<object>({
    forward: (graph, [logits, targets, probabilities]) => {
      const logprobs = graph.op('LogSoftmax', [logits!], { axis: -1 });
      const picked = graph.op('GatherElements', [logprobs, targets!], { axis: -1 });
      const weighted = graph.op('Mul', [picked, probabilities!]);
      return { output: graph.op('ReduceSum', [weighted, graph.integers([-1])], { keepdims: 0 }), saved: [logprobs] };
    },
    backward: (graph, { inputs: [, targets, probabilities], saved: [logprobs] }, gradient) => {
      const column = graph.op('Unsqueeze', [gradient, graph.integers([-1])]);
      const updates = graph.op('Mul', [probabilities!, column]);
      const mass = graph.op('ReduceSum', [updates, graph.integers([-1])]);
      const spread = graph.op('Mul', [graph.op('Exp', [logprobs!]), graph.op('Neg', [mass])]);
      return [
        graph.op('ScatterElements', [spread, targets!, updates], { axis: -1, reduction: 'add' }),
        undefined,
        undefined,
      ];
    },
  }),
} as const;

function joinHeads(graph: GraphBuilder, value: Value, width: number): Value {
  const turned = graph.op('Transpose', [value], { perm: [0, 2, 1, 3] });
  return graph.op('Reshape', [turned, graph.integers([0, 0, width])]);
}

export type OperatorName = keyof typeof operators;
export type OptionsOf<Name extends OperatorName> = Parameters<(typeof operators)[Name]['forward']>[2];
