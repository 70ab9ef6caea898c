import type { Loss } from '../../engine.ts';
import { type Model, trainedShapes } from '../model/model.ts';
import { declareRows } from '../model/rows.ts';
import { trainingDecoder } from '../model/training-decoder.ts';
import type { Graph } from '../runtime/runtime.ts';
import { chunkedForward, chunkedLogprobs, chunkedLoss, declareAsked, headOf, isChunked, wholeLoss } from './head.ts';
import { GraphBuilder } from './onnx/graph-builder.ts';
import { declareBranches, declareWeights, keyOf } from './parameters.ts';
import { Tape } from './tape.ts';

/**
 * The graph of one micro-batch: token ids and per-token streams in; the summed loss, the targets' logprobs and, with
 * `backward`, the gradient of everything that is trained out. All sizes but the model's are free, so one session does for
 * all lengths.
 */
export function trainingGraph(model: Model, kind: Loss['kind'], backward: boolean): Graph {
  const key = `${backward ? 'backward' : 'forward'} ${kind} ${keyOf(model)}`;
  return {
    key,
    encode: () => emit(model, kind, backward).encode(),
    mapped: model.weights.stored,
    isWide: isWide(model),
  };
}

/** From so many numbers on the gradient of all weights is had once only, not once a worker. */
const WIDE_FROM = 2 ** 26;

const isWide = ({ weights, adapter }: Model): boolean => adapter === undefined && weights.size >= WIDE_FROM;

function emit(model: Model, kind: Loss['kind'], backward: boolean): GraphBuilder {
  const { config } = model.weights;
  const graph = new GraphBuilder('training');
  declareWeights(graph, model);
  const tape = new Tape(graph, declareBranches(graph, model));
  const tokens = graph.input('tokens', 'int64', ['rows']);
  const headInput = trainingDecoder(tape, config, { ...declareRows(graph), tokens });
  const head = headOf(model, tape.branches);
  const rowsOf = (name: string) => declareAsked(graph, name, headInput(graph.input(name, 'int64', [name])));
  const chunked = isChunked(config);
  const emitLoss = chunked ? (backward ? chunkedLoss : chunkedForward) : wholeLoss;
  const { logprobs, losses, gradients } = emitLoss(tape, head, rowsOf('asked'), kind);
  graph.output('loss', graph.op('ReduceSum', [losses], { keepdims: 0 }), 'float32', []);
  graph.output('logprobs', logprobs, 'float32', ['asked']);
  if (chunked) {
    graph.output('scoredLogprobs', chunkedLogprobs(graph, head, 'scored', rowsOf('scored')), 'float32', ['scored']);
  }
  if (!backward) return graph;

  const trained = trainedShapes(model);
  const names = trained.map(({ name }) => name);
  tape.gradients(gradients, names).forEach((value, nth) => {
    const { name, shape } = trained[nth]!; // a gradient for each
    graph.output(gradientOf(name), value, 'float32', shape);
  });
  return graph;
}

/** The output with a parameter's gradient. */
export const gradientOf = (name: string): string => `gradient of ${name}`;
