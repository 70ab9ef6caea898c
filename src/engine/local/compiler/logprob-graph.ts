import { attendToSelf, DecoderWeights, declareText, decoderStates, logits } from '../model/inference-decoder.ts';
import type { Model } from '../model/model.ts';
import type { Graph } from '../runtime/runtime.ts';
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
  const states = decoderStates(graph, weights, text, (layer, heads) =>
    attendToSelf(graph, config, masks, layer, heads),
  );
  const logprobs = graph.op('LogSoftmax', [logits(graph, weights, states)], { axis: -1 });
  if (view === 'given') emitGiven(graph, logprobs);
  else emitTop(graph, logprobs);
  return graph;
}

function emitGiven(graph: GraphBuilder, logprobs: Value): void {
  const next = graph.input('next', 'int64', ['tokens', 1]);
  graph.output('logprobs', graph.op('GatherElements', [logprobs, next], { axis: -1 }), 'float32', ['tokens', 1]);
}

/** A stable order among equals: the lower token id first. */
function emitTop(graph: GraphBuilder, logprobs: Value): void {
  const [values, tokens] = graph.ops('TopK', [logprobs, graph.input('k', 'int64', [1])], 2, { axis: -1 });
  graph.output('logprobs', values!, 'float32', ['tokens', 'k']);
  graph.output('topTokens', graph.op('Cast', [tokens!], { to: 6 }), 'int32', ['tokens', 'k']);
}
