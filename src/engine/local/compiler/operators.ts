import type { GraphBuilder, Value } from './onnx/graph-builder.ts';

/**
 * @file Reverse-mode differentiation is this table: one entry per operator, with the nodes it emits forward and the
 * nodes that turn the gradients of its outputs into those of its inputs. Activations are rows, one per token; only
 * attention sees sequences (`rows.ts` says which row stands where).
 */

/** What an operator's backward rule may use. */
export type Recorded = {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Values kept by the forward pass. */
  readonly saved: readonly Value[];
};

type Forward = { readonly outputs: readonly Value[]; readonly saved?: readonly Value[] };

export type Operator<Options> = {
  forward(graph: GraphBuilder, inputs: readonly Value[], options: Options): Forward;
  /**
   * @param gradients one per output.
   * @returns one gradient per input; undefined for an input that has none (indices, constants).
   */
  backward(
    graph: GraphBuilder,
    node: Recorded,
    gradients: readonly Value[],
    options: Options,
  ): readonly (Value | undefined)[];
};

const operator = <Options>(definition: Operator<Options>): Operator<Options> => definition;

type Sizes = { readonly from: number; readonly to: number };

export const operators = {
  /** Rows of a table `[count, width]` at indices `[rows]`. A row taken twice gets the sum of both gradients. */
  pick: operator<object>({
    forward: (graph, inputs) => ({ outputs: [graph.op('Gather', inputs, { axis: 0 })] }),
    backward: (graph, { inputs: [table, indices] }, [gradient]) => {
      const zeros = zerosLike(graph, table!);
      return [addAt(graph, zeros, indices!, gradient!), undefined];
    },
  }),

  /** x `[rows, from]` times the transpose of a weight `[to, from]`. */
  linear: operator<Sizes>({
    forward: (graph, inputs) => ({ outputs: [graph.op('Gemm', inputs, { transB: 1 })] }),
    backward: linearBackward,
  }),

  /** The same plus a bias `[to]`. */
  biasedLinear: operator<Sizes>({
    forward: (graph, inputs) => ({ outputs: [graph.op('Gemm', inputs, { transB: 1 })] }),
    backward: (graph, node, [gradient], sizes) => [
      ...linearBackward(graph, node, [gradient!], sizes),
      sumRows(graph, gradient!),
    ],
  }),

  /** The same plus rows `[rows, to]` that are there already: the product is added onto them in one pass. */
  residualLinear: operator<Sizes>({
    forward: (graph, inputs) => ({ outputs: [graph.op('Gemm', inputs, { transB: 1 })] }),
    backward: (graph, node, [gradient], sizes) => [...linearBackward(graph, node, [gradient!], sizes), gradient],
  }),

  /** x plus y of the same shape. */
  add: operator<object>({
    forward: (graph, inputs) => ({ outputs: [graph.op('Add', inputs)] }),
    backward: (_graph, _node, [gradient]) => [gradient, gradient],
  }),

  /** Rows `[rows, width]` plus a bias `[width]`. */
  bias: operator<object>({
    forward: (graph, inputs) => ({ outputs: [graph.op('Add', inputs)] }),
    backward: (graph, _node, [gradient]) => [gradient, sumRows(graph, gradient!)],
  }),

  /** x plus a constant. */
  shift: operator<{ readonly by: number }>({
    forward: (graph, [x], { by }) => ({ outputs: [graph.op('Add', [x!, graph.scalar(by)])] }),
    backward: (_graph, _node, gradients) => gradients,
  }),

  /** x times a constant. */
  scale: operator<{ readonly by: number }>({
    forward: (graph, [x], { by }) => ({ outputs: [graph.op('Mul', [x!, graph.scalar(by)])] }),
    backward: (graph, _node, [gradient], { by }) => [graph.op('Mul', [gradient!, graph.scalar(by)])],
  }),

  /** y = cap tanh(x / cap) (Gemma Team 2024): dx = g (1 - (y / cap)^2). */
  softCap: operator<{ readonly cap: number }>({
    forward: (graph, [x], { cap }) => {
      const bounded = graph.op('Tanh', [graph.op('Div', [x!, graph.scalar(cap)])]);
      return { outputs: [graph.op('Mul', [bounded, graph.scalar(cap)])], saved: [bounded] };
    },
    backward: (graph, { saved: [bounded] }, [gradient]) => {
      const slope = graph.op('Sub', [graph.scalar(1), graph.op('Mul', [bounded!, bounded!])]);
      return [graph.op('Mul', [gradient!, slope])];
    },
  }),

  /** Columns of several values side by side. */
  beside: operator<{ readonly widths: readonly number[] }>({
    forward: (graph, inputs) => ({ outputs: [graph.op('Concat', inputs, { axis: -1 })] }),
    backward: (graph, _node, [gradient], { widths }) =>
      graph.ops('Split', [gradient!, graph.integers(widths)], widths.length, { axis: -1 }),
  }),

  /** The way back. */
  apart: operator<{ readonly widths: readonly number[] }>({
    forward: (graph, [x], { widths }) => ({
      outputs: graph.ops('Split', [x!, graph.integers(widths)], widths.length, { axis: -1 }),
    }),
    backward: (graph, _node, gradients) => [graph.op('Concat', gradients, { axis: -1 })],
  }),

  /** Weights or biases of equal width, one below the other: one product instead of several. */
  stack: operator<{ readonly heights: readonly number[] }>({
    forward: (graph, inputs) => ({ outputs: [graph.op('Concat', inputs, { axis: 0 })] }),
    backward: (graph, _node, [gradient], { heights }) =>
      graph.ops('Split', [gradient!, graph.integers(heights)], heights.length, { axis: 0 }),
  }),

  /**
   * RMSNorm over the last axis times a gain (Zhang and Sennrich 2019): y = x gain / rms(x). With i = 1 / rms(x):
   * dx = i g gain - x i^3 mean(g gain x), dgain = sum over rows of i g x.
   */
  rmsNorm: operator<{ readonly width: number; readonly epsilon: number }>({
    forward: (graph, inputs, { epsilon }) => {
      const attributes = { axis: -1, epsilon: { float: epsilon }, stash_type: 1 };
      const [output, inverse] = graph.ops('SimplifiedLayerNormalization', inputs, 2, attributes);
      return { outputs: [output!], saved: [inverse!] };
    },
    backward: (graph, { inputs: [x, gain], saved: [inverse] }, [gradient], { width }) => {
      const product = graph.op('Mul', [gradient!, x!]);
      const column = graph.op('Reshape', [gain!, graph.integers([width, 1])]);
      const projection = graph.op('MatMul', [product, column]);
      const cube = graph.op('Mul', [graph.op('Mul', [inverse!, inverse!]), graph.op('Mul', [inverse!, projection])]);
      const pull = graph.op('Mul', [x!, graph.op('Mul', [cube, graph.scalar(1 / width)])]);
      const scaled = graph.op('Mul', [graph.op('Mul', [gradient!, gain!]), inverse!]);
      const productRows = graph.op('Reshape', [product, graph.integers([-1, width])]);
      const inverseRow = graph.op('Reshape', [inverse!, graph.integers([1, -1])]);
      const gainRow = graph.op('MatMul', [inverseRow, productRows]);
      return [graph.op('Sub', [scaled, pull]), graph.op('Reshape', [gainRow, graph.integers([width])])];
    },
  }),

  /** Rows `[rows, width]` to one `[batch, heads, time, size]` per index tensor `[batch, heads, time]` over the rows' heads. */
  splitHeads: operator<{ readonly width: number; readonly size: number }>({
    forward: (graph, [x, ...indices], { size }) => {
      const heads = graph.op('Reshape', [x!, graph.integers([-1, size])]);
      return { outputs: indices.map((index) => graph.op('Gather', [heads, index], { axis: 0 })), saved: [heads] };
    },
    backward: (graph, { inputs: [, ...indices], saved: [heads] }, gradients, { width }) => {
      const zeros = zerosLike(graph, heads!);
      const sum = indices.reduce((sum, index, nth) => addAt(graph, sum, index, gradients[nth]!), zeros);
      return [graph.op('Reshape', [sum, graph.integers([-1, width])]), ...indices.map(() => undefined)];
    },
  }),

  /** The way back: `[batch, heads, time, size]` to rows, with an index `[rows, heads]` over all heads of all positions. */
  joinHeads: operator<{ readonly heads: number; readonly size: number }>({
    forward: (graph, [x, index], { heads, size }) => {
      const all = graph.op('Reshape', [x!, graph.integers([-1, size])]);
      const rows = graph.op('Gather', [all, index!], { axis: 0 });
      return { outputs: [graph.op('Reshape', [rows, graph.integers([-1, heads * size])])], saved: [all] };
    },
    backward: (graph, { inputs: [x, index], saved: [all] }, [gradient], { heads, size }) => {
      const split = graph.op('Reshape', [gradient!, graph.integers([-1, heads, size])]);
      const sum = addAt(graph, zerosLike(graph, all!), index!, split);
      return [graph.op('Reshape', [sum, graph.op('Shape', [x!])]), undefined];
    },
  }),

  /**
   * Rotary embedding (Su et al. 2021) of the first `turned` dimensions of `[batch, heads, time, size]`, halves rotated as
   * Hugging Face does; cos and sin are `[positions, turned / 2]`. Turning back is the gradient: cosines and sines may be
   * scaled.
   */
  rotary: operator<{ readonly heads: number; readonly turned: number }>({
    forward: (graph, inputs, options) => ({ outputs: [turn(graph, inputs, options)] }),
    backward: (graph, { inputs: [, position, cos, sin] }, [gradient], options) => {
      const back = graph.op('Neg', [sin!]);
      return [turn(graph, [gradient!, position!, cos!, back], options), undefined, undefined, undefined];
    },
  }),

  /**
   * softmax(scale q k' + mask) v. Queries `[batch, keyHeads, rows, size]`, where the query heads of a group are folded
   * into the rows of their one key head, so that keys need no copies; keys and values `[batch, keyHeads, time, size]`.
   * The softmax's gradient is P (dP - sum(P dP)), and sum(P dP) = sum(dO O) (Dao et al. 2022) is a shorter sum.
   */
  attend: operator<{ readonly scale: number }>({
    forward: (graph, [queries, keys, values, mask], { scale }) => {
      const scores = graph.microsoft('FusedMatMul', [queries!, keys!], { transB: 1, alpha: { float: scale } });
      const weights = graph.op('Softmax', [graph.op('Add', [scores, mask!])], { axis: -1 });
      return { outputs: [graph.op('MatMul', [weights, values!])], saved: [weights] };
    },
    backward: (graph, { inputs: [queries, keys, values], outputs: [mixed], saved: [weights] }, [gradient], options) => {
      const scale = { alpha: { float: options.scale } };
      const onWeights = graph.microsoft('FusedMatMul', [gradient!, values!], { transB: 1 });
      const total = graph.op('ReduceSum', [graph.op('Mul', [gradient!, mixed!]), graph.integers([-1])]);
      const onScores = graph.op('Mul', [weights!, graph.op('Sub', [onWeights, total])]);
      return [
        graph.microsoft('FusedMatMul', [onScores, keys!], scale),
        graph.microsoft('FusedMatMul', [swapLastTwo(graph, onScores), queries!], scale),
        graph.op('MatMul', [swapLastTwo(graph, weights!), gradient!]),
        undefined,
      ];
    },
  }),

  /** Another shape for the same numbers. */
  reshape: operator<{ readonly shape: readonly number[]; readonly before: readonly number[] }>({
    forward: (graph, [x], { shape }) => ({ outputs: [graph.op('Reshape', [x!, graph.integers(shape)])] }),
    backward: (graph, _node, [gradient], { before }) => [graph.op('Reshape', [gradient!, graph.integers(before)])],
  }),

  /**
   * y = silu(gate) up (Shazeer 2020). With s = sigmoid(gate): dgate = g up s (1 + gate (1 - s)) = g (y + s (up - y)),
   * which is one pass less.
   */
  swiglu: operator<object>({
    forward: (graph, [gate, up]) => {
      const sigmoid = graph.op('Sigmoid', [gate!]);
      const silu = graph.op('Mul', [gate!, sigmoid]);
      return { outputs: [graph.op('Mul', [silu, up!])], saved: [sigmoid, silu] };
    },
    backward: (graph, { inputs: [, up], outputs: [output], saved: [sigmoid, silu] }, [gradient]) => {
      const bend = graph.op('Mul', [sigmoid!, graph.op('Sub', [up!, output!])]);
      return [graph.op('Mul', [gradient!, graph.op('Add', [output!, bend])]), graph.op('Mul', [gradient!, silu!])];
    },
  }),

  /**
   * y = gelu(gate) up with gelu(x) = x (1 + tanh(c (x + a x^3))) / 2 (Hendrycks and Gimpel 2016). With t the tangent:
   * dgelu = (1 + t) / 2 + x (1 - t^2) c (1 + 3 a x^2) / 2.
   */
  geglu: operator<object>({
    forward: (graph, [gate, up]) => {
      const gelu = graph.op('Gelu', [gate!], { approximate: 'tanh' });
      return { outputs: [graph.op('Mul', [gelu, up!])], saved: [gelu] };
    },
    backward: (graph, { inputs: [gate, up], saved: [gelu] }, [gradient]) => {
      const slope = geluSlope(graph, gate!);
      return [graph.op('Mul', [graph.op('Mul', [gradient!, up!]), slope]), graph.op('Mul', [gradient!, gelu!])];
    },
  }),

  /**
   * sum_k q_k log softmax(logits)[target_k]: logits `[rows, vocabulary]`, targets and q `[rows, k]`, to `[rows]`. A hard
   * target is k = 1, q = 1.
   */
  targetLogprob: operator<object>({
    forward: (graph, [logits, targets, probabilities]) => {
      const logprobs = graph.op('LogSoftmax', [logits!], { axis: -1 });
      const picked = graph.op('GatherElements', [logprobs, targets!], { axis: -1 });
      const weighted = graph.op('Mul', [picked, probabilities!]);
      return { outputs: [graph.op('ReduceSum', [weighted, graph.integers([-1])], { keepdims: 0 })], saved: [logprobs] };
    },
    backward: (graph, { inputs: [, targets, probabilities], saved: [logprobs] }, [gradient]) => {
      const column = graph.op('Unsqueeze', [gradient!, graph.integers([-1])]);
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

/** Rotates the first dimensions of each head. */
function turn(graph: GraphBuilder, inputs: readonly Value[], options: { heads: number; turned: number }): Value {
  const part = { num_heads: options.heads, rotary_embedding_dim: options.turned };
  return graph.microsoft('RotaryEmbedding', inputs, part);
}

/** The slope of the hyperbolic tangent's form of GELU. */
function geluSlope(graph: GraphBuilder, x: Value): Value {
  const [c, a] = [Math.sqrt(2 / Math.PI), 0.044715];
  const times = (one: Value, other: Value) => graph.op('Mul', [one, other]);
  const plus = (one: Value, other: Value) => graph.op('Add', [one, other]);
  const square = times(x, x);
  const curve = times(graph.scalar(c), plus(x, times(graph.scalar(a), times(square, x))));
  const tangent = graph.op('Tanh', [curve]);
  const steep = times(graph.scalar(c), plus(graph.scalar(1), times(graph.scalar(3 * a), square)));
  const bend = times(times(x, graph.op('Sub', [graph.scalar(1), times(tangent, tangent)])), steep);
  return times(graph.scalar(0.5), plus(plus(graph.scalar(1), tangent), bend));
}

/** Gradients of x and of the weight. */
function linearBackward(
  graph: GraphBuilder,
  { inputs: [x, weight] }: Recorded,
  [gradient]: readonly Value[],
  sizes: Sizes,
): Value[] {
  return [graph.op('MatMul', [gradient!, weight!]), weightGradient(graph, gradient!, x!, sizes)];
}

/** Outputs from which on a weight is a vocabulary's table. */
const TABLE_ROWS = 2 ** 13;

/**
 * `[to, from]`: gradient' x. The narrower factor is turned first, because the matrix product takes an eighth longer when
 * it has to turn its left factor itself (docs/performance.md); projections of the same x share its turned copy. Of a
 * vocabulary the other way would turn a whole table.
 */
function weightGradient(graph: GraphBuilder, gradient: Value, x: Value, { from, to }: Sizes): Value {
  if (to <= from || to >= TABLE_ROWS) return graph.op('MatMul', [swapRowsAndColumns(graph, gradient), x]);
  return swapRowsAndColumns(graph, graph.op('MatMul', [swapRowsAndColumns(graph, x), gradient]));
}

const swapRowsAndColumns = (graph: GraphBuilder, x: Value): Value => graph.op('Transpose', [x], { perm: [1, 0] });

const swapLastTwo = (graph: GraphBuilder, x: Value): Value => graph.op('Transpose', [x], { perm: [0, 1, 3, 2] });

/** `[rows, width]` to `[width]`. */
const sumRows = (graph: GraphBuilder, x: Value): Value =>
  graph.op('ReduceSum', [x, graph.integers([0])], { keepdims: 0 });

const zerosLike = (graph: GraphBuilder, x: Value): Value => graph.op('ConstantOfShape', [graph.op('Shape', [x])]);

/** Adds rows `[..., width]` to a table `[count, width]` at indices `[...]`. */
function addAt(graph: GraphBuilder, table: Value, indices: Value, rows: Value): Value {
  const places = graph.op('Unsqueeze', [indices, graph.integers([-1])]);
  return graph.op('ScatterND', [table, places, rows], { reduction: 'add' });
}

export type OperatorName = keyof typeof operators;
export type OptionsOf<Name extends OperatorName> = Parameters<(typeof operators)[Name]['forward']>[2];
