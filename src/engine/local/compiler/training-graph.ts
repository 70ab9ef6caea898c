import type { Loss } from '../../engine.ts';
import { parameterShapes } from '../model/architectures.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { declareRows } from '../model/rows.ts';
import { declareParameters, trainingLogits } from '../model/training-decoder.ts';
import type { Graph } from '../runtime/runtime.ts';
import { tokenLoss } from './losses.ts';
import { GraphBuilder } from './onnx/graph-builder.ts';
import { Tape } from './tape.ts';

/**
 * The graph of one micro-batch: token ids and per-token streams in; the summed loss, the targets' logprobs and, with
 * `backward`, the gradient of every parameter as one flat array out. All sizes but the model's are free, so one session
 * does for all lengths.
 */
export function trainingGraph(config: ModelConfig, kind: Loss['kind'], backward: boolean): Graph {
  const key = `${backward ? 'backward' : 'forward'} ${kind} ${JSON.stringify(config)}`;
  return { key, encode: () => emit(config, kind, backward).encode() };
}

function emit(config: ModelConfig, kind: Loss['kind'], backward: boolean): GraphBuilder {
  const graph = new GraphBuilder('training');
  const tape = new Tape(graph);
  declareParameters(tape, config);
  const logits = trainingLogits(tape, config, {
    ...declareRows(graph),
    tokens: graph.input('tokens', 'int64', ['rows']),
    asked: graph.input('asked', 'int64', ['asked']),
  });
  const targets = graph.input('targets', 'int64', ['asked', 'k']);
  const probabilities = graph.input('probabilities', 'float32', ['asked', 'k']);
  const logprob = tape.apply('targetLogprob', [logits, targets, probabilities], {});

  const weight = graph.input('weight', 'float32', ['asked']);
  const sampled = graph.input('sampled', 'float32', ['asked']);
  const { loss, slope } = tokenLoss(graph, kind, { logprob, sampled, weight });
  graph.output('loss', graph.op('ReduceSum', [loss], { keepdims: 0 }), 'float32', []);
  graph.output('logprobs', logprob, 'float32', ['asked']);
  if (!backward) return graph;

  const names = parameterShapes(config).map(({ name }) => name);
  const gradients = tape.gradients(new Map([[logprob, slope]]), names);
  const flat = gradients.map((value) => graph.op('Reshape', [value, graph.integers([-1])]));
  graph.output('gradients', graph.op('Concat', flat, { axis: 0 }), 'float32', ['parameters']);
  return graph;
}
