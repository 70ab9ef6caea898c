import { type Adapter, adaptedMatrices, baseFor, factorShapes } from '../model/adapter.ts';
import { type Weights, windows } from '../model/weights.ts';
import { floats, floatsOf } from '../runtime/host-tensor.ts';
import type { Graph, Runtime } from '../runtime/runtime.ts';
import { GraphBuilder } from './onnx/graph-builder.ts';

/** @file From an adapter to weights that can stand alone: W' = W + alpha / rank B A. */

/** The weights with the adapter put in; the other parameters are copied. */
export async function mergedWeights(runtime: Runtime, base: Weights, adapter: Adapter): Promise<Weights> {
  const { config, shape, flat } = adapter;
  const merged = baseFor(base, shape).copy();
  const factors = new Map(windows(flat, factorShapes(config, shape)).map((each) => [each.name, each]));
  const scale = floats(Float32Array.of(shape.alpha / shape.rank), []);
  const merges = adaptedMatrices(config, shape).map(async ({ matrix, a, b }) => {
    const weight = merged.get(matrix.name);
    const [left, right] = [factors.get(b.name)!, factors.get(a.name)!]; // both are among the factors
    const feeds = { scale, weight: tensor(weight), a: tensor(right), b: tensor(left) };
    const { sum } = await runtime.run(mergeGraph, [], feeds, ['sum']);
    weight.data.set(floatsOf(sum!));
  });
  await Promise.all(merges);
  return merged;
}

const tensor = ({ data, shape }: { readonly data: Float32Array; readonly shape: readonly number[] }) =>
  floats(data.slice(), shape); // a window would be sent with all that it is a window on

const mergeGraph: Graph = { key: 'merge', encode: () => emitMerge().encode() };

function emitMerge(): GraphBuilder {
  const graph = new GraphBuilder('merge');
  const weight = graph.input('weight', 'float32', ['out', 'in']);
  const product = graph.op('MatMul', [
    graph.input('b', 'float32', ['out', 'rank']),
    graph.input('a', 'float32', ['rank', 'in']),
  ]);
  const change = graph.op('Mul', [product, graph.input('scale', 'float32', [])]);
  graph.output('sum', graph.op('Add', [weight, change]), 'float32', ['out', 'in']);
  return graph;
}
