import type { GraphBuilder, Value } from '../compiler/onnx/graph-builder.ts';
import type { Heads } from './inference-decoder.ts';
import type { AttentionShape } from './model-config.ts';

/** Keys and values of one layer, `[rows, keyValueHeads, time, size]`. */
export type Cache = { readonly keys: Value; readonly values: Value };

/** A part of what the rows look at. Queries and results are `[rows, keyValueHeads, group, size]`. */
export type Part = {
  /** Int64 `[1]`: how many tokens. */
  readonly size: Value;
  /** `[rows, keyValueHeads, group, tokens]`. */
  scores(queries: Value): Value;
  /** Values weighted by shares, which are shaped like the scores. */
  mix(shares: Value): Value;
};

/** One token of each row looks at all parts with one softmax: `[rows, heads * size]`. */
export function attendToParts(
  graph: GraphBuilder,
  config: AttentionShape,
  { queries }: Heads,
  parts: readonly Part[],
): Value {
  const { heads, keyValueHeads, headSize } = config;
  const group = heads / keyValueHeads;
  // the query heads of a group are the rows of one product with their key head
  const grouped =
    group === 1 ? queries : graph.op('Reshape', [queries, graph.integers([0, keyValueHeads, group, headSize])]);
  const scores = parts.map((part) => part.scores(grouped));
  const shares = sharesOf(graph, scores, parts);
  const mixed = parts.map((part, nth) => part.mix(shares[nth]!)).reduce((sum, each) => graph.op('Add', [sum, each]));
  return graph.op('Reshape', [mixed, graph.integers([-1, heads * headSize])]);
}

function sharesOf(graph: GraphBuilder, scores: readonly Value[], parts: readonly Part[]): Value[] {
  if (scores.length === 1) return [graph.op('Softmax', [scores[0]!], { axis: -1 })];
  const joined = graph.op('Softmax', [graph.op('Concat', scores, { axis: -1 })], { axis: -1 });
  const sizes = graph.op(
    'Concat',
    parts.map(({ size }) => size),
    { axis: 0 },
  );
  return graph.ops('Split', [joined, sizes], parts.length, { axis: -1 });
}

/** Tokens of the row itself. `mask` `[rows, 1, 1, tokens]` hides padding. */
export function ownPart(graph: GraphBuilder, { keys, values }: Cache, size: Value, mask: Value | undefined): Part {
  return {
    size,
    scores: (queries) => {
      const scores = graph.microsoft('FusedMatMul', [queries, keys], { transB: 1 });
      return mask === undefined ? scores : graph.op('Add', [scores, mask]);
    },
    mix: (shares) => graph.op('MatMul', [shares, values]),
  };
}

/** The part with a mask `[rows, 1, 1, tokens]` added to its scores. */
export function hiding(graph: GraphBuilder, part: Part, mask: Value): Part {
  return { ...part, scores: (queries) => graph.op('Add', [part.scores(queries), mask]) };
}

/** A prompt that several rows, its samples, have in common; row = prompt * samples + sample. */
export type SharedPrompt = {
  /** Keys `[prompts, keyValueHeads, size, time]`, turned once for all steps; values `[prompts, keyValueHeads, time, size]`. */
  readonly cache: Cache;
  readonly size: Value;
  /** `[prompts, 1, 1, time]`. */
  readonly mask: Value;
  readonly shapes: SharedShapes;
};

/** int64 shapes; the last dimension is left open. */
export type SharedShapes = {
  /** `[prompts, samples, keyValueHeads, group, -1]`. */
  readonly bySample: Value;
  /** `[prompts, keyValueHeads, samples, group, -1]`. */
  readonly byHead: Value;
  /** `[prompts, keyValueHeads, samples * group, -1]`. */
  readonly joined: Value;
  /** `[rows, keyValueHeads, group, -1]`. */
  readonly rows: Value;
};

/** @param prompts int64 `[1]`. @param samples int64 `[1]`. */
export function sharedShapes(
  graph: GraphBuilder,
  config: AttentionShape,
  prompts: Value,
  samples: Value,
): SharedShapes {
  const { heads, keyValueHeads } = config;
  const group = heads / keyValueHeads;
  const shape = (...parts: readonly Value[]) => graph.op('Concat', parts, { axis: 0 });
  const head = graph.integers([keyValueHeads]);
  const ofHead = graph.integers([keyValueHeads, group, -1]);
  const together = graph.op('Mul', [samples, graph.integers([group])]);
  return {
    bySample: shape(prompts, samples, ofHead),
    byHead: shape(prompts, head, samples, graph.integers([group, -1])),
    joined: shape(prompts, head, together, graph.integers([-1])),
    rows: shape(graph.op('Mul', [prompts, samples]), ofHead),
  };
}

/**
 * Tokens of the prompt. All its samples look at the same keys, so their queries are the rows of one product per key
 * head: the prompt is read from memory once a step, not once a sample.
 */
export function sharedPart(graph: GraphBuilder, { cache, size, mask, shapes }: SharedPrompt): Part {
  const turned = (value: Value, from: Value, to: Value) => {
    const apart = graph.op('Transpose', [graph.op('Reshape', [value, from])], { perm: [0, 2, 1, 3, 4] });
    return graph.op('Reshape', [apart, to]);
  };
  const gather = (rows: Value) => turned(rows, shapes.bySample, shapes.joined);
  const spread = (joined: Value) => turned(joined, shapes.byHead, shapes.rows);
  return {
    size,
    scores: (queries) => spread(graph.op('Add', [graph.op('MatMul', [gather(queries), cache.keys]), mask])),
    mix: (shares) => spread(graph.op('MatMul', [gather(shares), cache.values])),
  };
}
