import { GraphBuilder, type Value } from '../compiler/onnx/graph-builder.ts';
import type { Cache } from '../model/row-attention.ts';

/**
 * @file Rows that have met a stop token cost as much as the others. At the end of a round, when enough have finished,
 * the rows that go on are moved together. They stay a rectangle of prompts times samples, so a prompt can still be read
 * once for all its samples; where prompts differ in how many samples go on, finished ones fill the rectangle up.
 */

/** The smaller rectangle must be at most this share of the larger one to be worth the move. */
const WORTH_MOVING = 0.75;

/** int64 row numbers of the whole batch, as `[prompts, samples]` and as `[rows]`. */
export type LiveRows = { readonly ids: Value; readonly flat: Value };

export function liveRows(graph: GraphBuilder, ids: Value): LiveRows {
  return { ids, flat: graph.op('Reshape', [ids, graph.integers([-1])]) };
}

/** Int64 `[1]` each: how many prompts go on, and how many samples of each. */
export function extent(graph: GraphBuilder, { ids }: LiveRows): { readonly prompts: Value; readonly samples: Value } {
  return {
    prompts: graph.op('Shape', [ids], { start: 0, end: 1 }),
    samples: graph.op('Shape', [ids], { start: 1, end: 2 }),
  };
}

/** Values of the live rows at their places among zeros for all rows. */
export function atTheirPlaces(graph: GraphBuilder, { flat }: LiveRows, zeros: Value, values: Value): Value {
  const places = graph.op('Unsqueeze', [flat, graph.integers([1])]);
  return graph.op('ScatterND', [zeros, places, values]);
}

/** What is carried from round to round for each row, `[rows, 1]`. */
export type RowState = {
  /** int64: the last token, and its position. */
  readonly token: Value;
  readonly position: Value;
  /** Float: 1 for rows that have met a stop token. */
  readonly finished: Value;
};

/** One layer's cache before the round, and the round's own part. */
export type GrowingCache = { readonly past: Cache; readonly tail: Cache };

/** What the next round starts with, in the order of its inputs. */
export function carriedOn(
  body: GraphBuilder,
  live: LiveRows,
  state: RowState,
  caches: readonly GrowingCache[],
): readonly Value[] {
  const counts = countsOf(body, live, state.finished);
  const branches = {
    then_branch: emitMoved(body, live, counts, state, caches),
    else_branch: emitUnmoved(body, live, state, caches),
  };
  return body.ops('If', [counts.worthMoving], 4 + 2 * caches.length, branches);
}

type Counts = {
  /** Float `[prompts, samples]`: 1 for rows that go on. */
  readonly alive: Value;
  /** Float `[prompts]`: how many of its samples go on. */
  readonly perPrompt: Value;
  /** The largest of them, a scalar. */
  readonly most: Value;
  readonly worthMoving: Value;
};

function countsOf(body: GraphBuilder, { ids }: LiveRows, finished: Value): Counts {
  const matrix = body.op('Reshape', [finished, body.op('Shape', [ids])]);
  const alive = body.op('Sub', [body.scalar(1), matrix]);
  const perPrompt = body.op('ReduceSum', [alive, body.integers([1])], { keepdims: 0 });
  const most = body.op('ReduceMax', [perPrompt], { keepdims: 0 });
  const prompts = body.op('ReduceSum', [body.op('Sign', [perPrompt])], { keepdims: 0 });
  const rows = body.op('Mul', [most, prompts]);
  const limit = body.op('Mul', [body.op('Cast', [body.op('Size', [ids])], { to: 1 }), body.scalar(WORTH_MOVING)]);
  const few = body.op('LessOrEqual', [rows, limit]);
  return { alive, perPrompt, most, worthMoving: body.op('And', [few, body.op('Greater', [rows, body.scalar(0)])]) };
}

function emitMoved(
  body: GraphBuilder,
  live: LiveRows,
  { alive, perPrompt, most }: Counts,
  state: RowState,
  caches: readonly GrowingCache[],
): GraphBuilder {
  const branch = new GraphBuilder('moved', body);
  const prompts = branch.op('Reshape', [branch.op('NonZero', [perPrompt]), branch.integers([-1])]);
  const samples = branch.op('Reshape', [branch.op('Cast', [most], { to: 7 }), branch.integers([1])]);
  // rows that go on are ones and the largest: they come first, the others fill up
  const [, ordered] = branch.ops('TopK', [branch.op('Gather', [alive, prompts], { axis: 0 }), samples], 2);
  const firsts = branch.op('Mul', [prompts, extent(branch, live).samples]);
  const places = branch.op('Add', [ordered!, branch.op('Unsqueeze', [firsts, branch.integers([1])])]);
  const flat = branch.op('Reshape', [places, branch.integers([-1])]);
  const moved = (value: Value) => branch.op('Gather', [value, flat], { axis: 0 });
  emitCarried(branch, branch.op('Gather', [live.flat, places], { axis: 0 }), state, caches, moved);
  return branch;
}

function emitUnmoved(
  body: GraphBuilder,
  { ids }: LiveRows,
  state: RowState,
  caches: readonly GrowingCache[],
): GraphBuilder {
  const branch = new GraphBuilder('unmoved', body);
  emitCarried(branch, ids, state, caches, (value) => value);
  return branch;
}

/** The outputs of a branch are values made inside it, hence the identities. */
function emitCarried(
  branch: GraphBuilder,
  ids: Value,
  { token, position, finished }: RowState,
  caches: readonly GrowingCache[],
  moved: (value: Value) => Value,
): void {
  const emit = (value: Value, type: 'int64' | 'float32', shape: readonly string[]) =>
    branch.result(branch.op('Identity', [value]), type, shape);
  emit(moved(token), 'int64', ['liveNext', 'one']);
  emit(moved(position), 'int64', ['liveNext', 'one']);
  emit(moved(finished), 'float32', ['liveNext', 'one']);
  emit(ids, 'int64', ['promptsNext', 'samplesNext']);
  for (const { past, tail } of caches) {
    for (const part of ['keys', 'values'] as const) {
      const grown = branch.op('Concat', [moved(past[part]), moved(tail[part])], { axis: 2 });
      branch.result(grown, 'float32', ['liveNext', 'heads', 'pastNext', 'size']);
    }
  }
}
