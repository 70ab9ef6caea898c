import type { Loss } from '../engine.ts';
import { declareParameters, llamaLogits } from './llama.ts';
import { type LlamaConfig, parameterShapes } from './llama-config.ts';
import { tokenLoss } from './losses.ts';
import { GraphBuilder } from './onnx/graph-builder.ts';
import type { Graph } from './runtime.ts';
import { Tape } from './tape.ts';

/**
 * The graph of one micro-batch: token ids and per-token streams in; the summed loss, the targets' logprobs and, with
 * `backward`, the gradient of every parameter as one flat array out. Batch and time are free, so one session does for
 * all lengths.
 */
export function trainingGraph(config: LlamaConfig, kind: Loss['kind'], backward: boolean): Graph {
  const key = `${backward ? 'backward' : 'forward'} ${kind} ${JSON.stringify(config)}`;
  return { key, encode: () => emit(config, kind, backward).encode() };
}

function emit(config: LlamaConfig, kind: Loss['kind'], backward: boolean): GraphBuilder {
  const graph = new GraphBuilder('training');
  const tape = new Tape(graph);
  declareParameters(tape, config);
  const tokens = graph.input('tokens', 'int64', ['batch', 'time']);
  const mask = graph.input('mask', 'float32', ['rows', 'time']);
  const targets = graph.input('targets', 'int64', ['batch', 'time', 'k']);
  const probabilities = graph.input('probabilities', 'float32', ['batch', 'time', 'k']);
  const weight = graph.input('weight', 'float32', ['batch', 'time']);
  const sampled = graph.input('sampled', 'float32', ['batch', 'time']);

  const logits = llamaLogits(tape, config, { tokens, mask });
  const logprob = tape.apply('targetLogprob', [logits, targets, probabilities], {});
  const { loss, slope } = tokenLoss(graph, kind, { logprob, sampled, weight });
  graph.output('loss', graph.op('ReduceSum', [loss], { keepdims: 0 }), 'float32', []);
  graph.output('logprobs', logprob, 'float32', ['batch', 'time']);
  if (!backward) return graph;

  const names = parameterShapes(config).map(({ name }) => name);
  const flat = tape.gradients(logprob, slope, names).map((value) => graph.op('Reshape', [value, graph.integers([-1])]));
  graph.output('gradients', graph.op('Concat', flat, { axis: 0 }), 'float32', ['parameters']);
  return graph;
}
