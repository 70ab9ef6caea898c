import { type Dimension, GraphBuilder, type Value } from './onnx/graph-builder.ts';

/** @file A loop over equal chunks of rows, for work whose intermediate values are too large for all rows at once. */

/** A value per row, `[rows]` or `[rows, width]`. */
export type RowStream = { readonly value: Value; readonly isWide: boolean };

/** What a chunk gives: a value per row, `[chunk, ...tail]`. */
export type RowResult = {
  readonly value: Value;
  readonly tail: readonly Dimension[];
  readonly type?: 'float32' | 'int32';
};

/** A table that all chunks add to. */
export type Sum = { readonly name: Value; readonly shape: readonly number[] };

type Chunk = { readonly results: readonly RowResult[]; readonly terms: readonly Value[] };

export type Chunked = { readonly results: readonly Value[]; readonly sums: readonly Value[] };

/**
 * @param chunks int64 `[1]`: how many; it divides the rows.
 * @param emit the work on one chunk: results by row, and a term for each sum.
 */
export function overChunks(
  graph: GraphBuilder,
  chunks: Value,
  streams: readonly RowStream[],
  sums: readonly Sum[],
  emit: (body: GraphBuilder, streams: readonly Value[]) => Chunk,
): Chunked {
  const body = new GraphBuilder('chunk', graph);
  const nth = body.input('nthChunk', 'int64', []);
  const goOn = body.input('goOnChunks', 'bool', []);
  const before = sums.map(({ name, shape }) => body.input(`sum of ${name}`, 'float32', shape));
  const ofChunk = cutter(graph, chunks, streams).map((all) => body.op('Gather', [all, nth], { axis: 0 }));
  const { results, terms } = emit(body, ofChunk);
  body.result(body.op('Identity', [goOn]), 'bool', []);
  terms.forEach((term, at) => {
    body.result(body.op('Add', [before[at]!, term]), 'float32', sums[at]!.shape);
  });
  for (const { value, tail, type = 'float32' } of results) {
    body.result(body.op('Identity', [value]), type, ['chunk', ...tail]);
  }
  const zeros = sums.map(({ shape }) => graph.op('ConstantOfShape', [graph.integers(shape)]));
  const count = graph.op('Reshape', [chunks, graph.integers([], [0])]);
  const all = graph.ops('Loop', [count, graph.bool(true), ...zeros], sums.length + results.length, { body });
  return { results: all.slice(sums.length).map((value) => joined(graph, value)), sums: all.slice(0, sums.length) };
}

/** `[chunks, rows of a chunk, ...tail]` to `[rows, ...tail]`. */
function joined(graph: GraphBuilder, value: Value): Value {
  const tail = graph.op('Shape', [value], { start: 2 });
  return graph.op('Reshape', [value, graph.op('Concat', [graph.integers([-1]), tail], { axis: 0 })]);
}

/** The streams as `[chunks, rows of a chunk, ...]`. */
function cutter(graph: GraphBuilder, chunks: Value, streams: readonly RowStream[]): Value[] {
  const rows = graph.op('Shape', [streams[0]!.value], { start: 0, end: 1 });
  const narrow = graph.op('Concat', [chunks, graph.op('Div', [rows, chunks])], { axis: 0 });
  const wide = graph.op('Concat', [narrow, graph.integers([-1])], { axis: 0 });
  return streams.map((stream) => graph.op('Reshape', [stream.value, stream.isWide ? wide : narrow]));
}
