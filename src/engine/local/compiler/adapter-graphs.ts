import { type Adapter, type AdapterShape, adaptedMatrices, baseFor, factorShapes } from '../model/adapter.ts';
import { parameterShapes } from '../model/architectures.ts';
import type { ModelConfig, ParameterShape } from '../model/model-config.ts';
import { sizeOf, Weights } from '../model/weights.ts';
import { floats, floatsOf } from '../runtime/host-tensor.ts';
import type { Graph, Runtime } from '../runtime/runtime.ts';
import { GraphBuilder, type Value } from './onnx/graph-builder.ts';

/**
 * @file From an adapter to the weights, and from the gradient of the weights to that of the adapter. Both are done once
 * a step, so the training graphs need not know of adapters: with W' = W + s B A, the chain rule gives dA = s B^T dW' and
 * dB = s dW' A^T, and sums over micro-batches may be taken before or after.
 */

/** The weights with the adapter put in, in memory of the runtime; the other parameters are copied. */
export async function mergedWeights(runtime: Runtime, base: Weights, adapter: Adapter): Promise<Weights> {
  const frozen = baseFor(base, adapter.shape);
  const borrowed = { output: 'weights', length: frozen.flat.length };
  const feeds = { adapter: floats(adapter.flat) };
  const { weights } = await runtime.run(mergeGraph(adapter), frozen, feeds, ['weights'], borrowed);
  return new Weights(frozen.config, floatsOf(weights!));
}

/** The gradient of the adapter's factors, in their order. @param gradient of every weight. */
export async function adapterGradient(
  runtime: Runtime,
  adapter: Adapter,
  gradient: Float32Array,
): Promise<Float32Array> {
  const feeds = { adapter: floats(adapter.flat), gradient: floats(gradient) };
  const { slopes } = await runtime.run(slopeGraph(adapter), undefined, feeds, ['slopes']);
  return floatsOf(slopes!);
}

function mergeGraph({ config, shape }: Adapter): Graph {
  return { key: `merge ${JSON.stringify([config, shape])}`, encode: () => emitMerge(config, shape).encode() };
}

function emitMerge(config: ModelConfig, shape: AdapterShape): GraphBuilder {
  const graph = new GraphBuilder('merge');
  const factors = cut(graph, graph.input('adapter', 'float32', ['numbers']), factorShapes(config, shape));
  const adapted = new Map(adaptedMatrices(config, shape).map((each) => [each.matrix.name, each]));
  const merged = parameterShapes(config).map((parameter) => {
    const weight = graph.input(parameter.name, 'float32', parameter.shape);
    const { a, b } = adapted.get(parameter.name) ?? {};
    if (a === undefined || b === undefined) return weight;
    return graph.op('Gemm', [factors.get(b.name)!, factors.get(a.name)!, weight], { alpha: scaleOf(shape) });
  });
  outputFlat(graph, 'weights', merged);
  return graph;
}

function slopeGraph({ config, shape }: Adapter): Graph {
  return { key: `slopes ${JSON.stringify([config, shape])}`, encode: () => emitSlopes(config, shape).encode() };
}

function emitSlopes(config: ModelConfig, shape: AdapterShape): GraphBuilder {
  const graph = new GraphBuilder('slopes');
  const factors = cut(graph, graph.input('adapter', 'float32', ['numbers']), factorShapes(config, shape));
  const gradients = cut(graph, graph.input('gradient', 'float32', ['parameters']), parameterShapes(config));
  const alpha = scaleOf(shape);
  const slopes = adaptedMatrices(config, shape).flatMap(({ matrix, a, b }) => {
    const gradient = gradients.get(matrix.name)!;
    return [
      graph.op('Gemm', [factors.get(b.name)!, gradient], { alpha, transA: 1 }),
      graph.op('Gemm', [gradient, factors.get(a.name)!], { alpha, transB: 1 }),
    ];
  });
  outputFlat(graph, 'slopes', slopes);
  return graph;
}

const scaleOf = ({ alpha, rank }: AdapterShape) => ({ float: alpha / rank });

/** The tensors that lie end to end in a flat one, by name. */
function cut(graph: GraphBuilder, flat: Value, shapes: readonly ParameterShape[]): ReadonlyMap<string, Value> {
  const sizes = graph.integers(shapes.map((each) => sizeOf([each])));
  const pieces = graph.ops('Split', [flat, sizes], shapes.length, { axis: 0 });
  const tensor = ({ name, shape }: ParameterShape, nth: number) =>
    [name, graph.op('Reshape', [pieces[nth]!, graph.integers(shape)])] as const;
  return new Map(shapes.map(tensor));
}

function outputFlat(graph: GraphBuilder, name: string, values: readonly Value[]): void {
  const flat = values.map((value) => graph.op('Reshape', [value, graph.integers([-1])]));
  graph.output(name, graph.op('Concat', flat, { axis: 0 }), 'float32', [`all ${name}`]);
}
