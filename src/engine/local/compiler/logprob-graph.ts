import { attendToSelf, DecoderWeights, declareText, decoderStates, logits } from '../model/inference-decoder.ts';
import type { Model } from '../model/model.ts';
import type { Graph } from '../runtime/runtime.ts';
import { overChunks, type RowResult } from './chunks.ts';
import { isChunked } from './head.ts';
import { GraphBuilder, type Value } from './onnx/graph-builder.ts';
import { keyOf } from './parameters.ts';

/** What is wanted of each position: the logprob of a given next token, or the k likeliest. */
export type LogprobView = 'given' | 'top';

/** Logprobs of the next token at every position of padded sequences `[batch, time]`, all dimensions free. */
export function logprobGraph(model: Model, view: LogprobView): Graph {
  const key = `logprobs ${view} ${keyOf(model)}`;
  return { key, encode: () => emit(model, view).encode(), mapped: model.weights.stored };
}

function emit(model: Model, view: LogprobView): GraphBuilder {
  const { config } = model.weights;
  const graph = new GraphBuilder('logprobs');
  const weights = new DecoderWeights(graph, model);
  const { text, masks } = declareText(graph, config);
  const wanted = isChunked(config) ? graph.input('wanted', 'int64', ['rows']) : undefined;
  const states = decoderStates(graph, weights, { ...text, wanted }, (layer, heads) =>
    attendToSelf(graph, config, masks, layer, heads),
  );
  const read = view === 'given' ? given(graph) : top(graph);
  const results = isChunked(config)
    ? inChunks(graph, weights, states, read)
    : read.emit(graph, logprobsOf(graph, weights, states), read.streams);
  read.names.forEach((name, nth) => {
    const { value, tail, type = 'float32' } = results[nth]!; // as many as there are names
    graph.output(name, value, type, ['rows', ...tail]);
  });
  return graph;
}

function logprobsOf(graph: GraphBuilder, weights: DecoderWeights, states: Value): Value {
  return graph.op('LogSoftmax', [logits(graph, weights, states)], { axis: -1 });
}

/** What is read of logprobs `[rows, vocabulary]`. */
type Reading = {
  readonly names: readonly string[];
  /** What it needs of each row. */
  readonly streams: readonly Value[];
  emit(graph: GraphBuilder, logprobs: Value, streams: readonly Value[]): readonly RowResult[];
};

function given(graph: GraphBuilder): Reading {
  return {
    names: ['logprobs'],
    streams: [graph.input('next', 'int64', ['rows', 1])],
    emit: (body, logprobs, [next]) => {
      return [{ value: body.op('GatherElements', [logprobs, next!], { axis: -1 }), tail: [1] }];
    },
  };
}

/** A stable order among equals: the lower token id first. */
function top(graph: GraphBuilder): Reading {
  const k = graph.input('k', 'int64', [1]);
  return {
    names: ['logprobs', 'topTokens'],
    streams: [],
    emit: (body, logprobs) => {
      const [values, tokens] = body.ops('TopK', [logprobs, k], 2, { axis: -1 });
      const ids = body.op('Cast', [tokens!], { to: 6 });
      return [
        { value: values!, tail: ['k'] },
        { value: ids, tail: ['k'], type: 'int32' },
      ];
    },
  };
}

function inChunks(graph: GraphBuilder, weights: DecoderWeights, states: Value, read: Reading): readonly RowResult[] {
  const streams = [states, ...read.streams].map((value) => ({ value, isWide: true }));
  let shapes: readonly RowResult[] = [];
  const { results } = overChunks(graph, graph.input('chunks', 'int64', [1]), streams, [], (body, [rows, ...others]) => {
    shapes = read.emit(body, logprobsOf(body, weights, rows!), others);
    return { results: shapes, terms: [] };
  });
  return shapes.map((shape, nth) => ({ ...shape, value: results[nth]! }));
}
