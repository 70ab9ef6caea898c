import type { TokenIds } from '../../engine.ts';
import type { GraphBuilder, Value } from '../compiler/onnx/graph-builder.ts';
import { integers, type Tensors } from '../runtime/host-tensor.ts';
import type { AttentionShape } from './model-config.ts';

/**
 * @file Which row stands where. All work but attention is done on rows, one for each token that follows a different
 * text: sequences of unlike lengths need no padding there, and what several sequences begin with is computed once.
 * Attention sees them as `[batch, heads, time, size]`, padded, and fetches from the rows by index.
 */

export type RowInputs = {
  /** int64 `[batch, time]`: the row of each position; padding may name any. */
  readonly place: Value;
  /** int64 `[rows]`: where each row's attention is read back from, as its offset in `[batch, heads, time]` for head 0. */
  readonly home: Value;
};

/** Indices of heads, int64. */
export type HeadIndices = {
  /** `[batch, heads, time]` into the heads of `[rows, (heads + 2 keyValueHeads) size]`: queries, keys, values. */
  readonly queries: Value;
  readonly keys: Value;
  readonly values: Value;
  /** `[rows, heads]` into the heads of `[batch, heads, time, size]`. */
  readonly home: Value;
};

export function declareRows(graph: GraphBuilder): RowInputs {
  return { place: graph.input('place', 'int64', ['batch', 'time']), home: graph.input('home', 'int64', ['rows']) };
}

/**
 * What is added to the scores of attention, `[group * time, time]`: 0 where a position looks at itself and what stands
 * before it, very negative elsewhere; once for each query head of a group.
 * @param window how many positions are looked at; absent means all.
 */
export function causalMask(
  graph: GraphBuilder,
  { heads, keyValueHeads }: AttentionShape,
  { place }: RowInputs,
  window: number | undefined,
): Value {
  const time = graph.op('Slice', [graph.op('Shape', [place]), graph.integers([1]), graph.integers([2])]);
  const square = graph.op('Concat', [time, time], { axis: 0 });
  const hidden = graph.op('Expand', [graph.scalar(-1e9), square]);
  const later = graph.op('Trilu', [hidden, graph.integers([1], [])], { upper: 1 });
  const mask = window === undefined ? later : graph.op('Add', [later, tooEarly(graph, hidden, window)]);
  return graph.op('Tile', [mask, graph.integers([heads / keyValueHeads, 1])]);
}

function tooEarly(graph: GraphBuilder, hidden: Value, window: number): Value {
  return graph.op('Trilu', [hidden, graph.integers([-window], [])], { upper: 0 });
}

export function headIndices(graph: GraphBuilder, config: AttentionShape, { place, home }: RowInputs): HeadIndices {
  const { heads, keyValueHeads } = config;
  const first = graph.op('Mul', [place, graph.integers([heads + 2 * keyValueHeads], [])]);
  const column = graph.op('Unsqueeze', [first, graph.integers([1])]);
  const offsets = (from: number, count: number) => graph.integers(range(from, count), [count, 1]);
  const time = graph.op('Gather', [graph.op('Shape', [place]), graph.integers([1], [])], { axis: 0 });
  const strides = graph.op('Mul', [graph.integers(range(0, heads)), time]);
  return {
    queries: graph.op('Add', [column, offsets(0, heads)]),
    keys: graph.op('Add', [column, offsets(heads, keyValueHeads)]),
    values: graph.op('Add', [column, offsets(heads + keyValueHeads, keyValueHeads)]),
    home: graph.op('Add', [graph.op('Unsqueeze', [home, graph.integers([1])]), strides]),
  };
}

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, nth) => from + nth);

export type Rows = {
  /** `[rows]`. */
  readonly tokens: readonly number[];
  /** `[batch, time]`, see {@link RowInputs}. */
  readonly place: Int32Array;
  /** `[rows]`: sequence * time + position where each row occurs first. */
  readonly firstPlace: readonly number[];
  readonly time: number;
};

/** One row for each distinct beginning of these sequences. */
export function layRows(sequences: readonly TokenIds[], vocabSize: number): Rows {
  const time = Math.max(...sequences.map((sequence) => sequence.length));
  const place = new Int32Array(sequences.length * time);
  const tokens: number[] = [];
  const firstPlace: number[] = [];
  const rowAfter = new Map<number, number>();
  sequences.forEach((sequence, nth) => {
    let row = -1;
    for (let at = 0; at < sequence.length; at++) {
      const step = (row + 1) * vocabSize + sequence[at]!;
      row = rowAfter.get(step) ?? tokens.length;
      if (row === tokens.length) {
        rowAfter.set(step, row);
        tokens.push(sequence[at]!);
        firstPlace.push(nth * time + at);
      }
      place[nth * time + at] = row;
    }
    place.fill(row, nth * time + sequence.length, (nth + 1) * time);
  });
  return { tokens, place, firstPlace, time };
}

/** What {@link declareRows} reads. */
export function rowFeeds({ place, firstPlace, time }: Rows, heads: number): Tensors {
  const home = firstPlace.map((at) => Math.floor(at / time) * heads * time + (at % time));
  return { place: integers(place, [place.length / time, time]), home: integers(home) };
}
