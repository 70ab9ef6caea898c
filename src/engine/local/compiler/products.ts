import type { GraphBuilder, Value } from './onnx/graph-builder.ts';
import type { Branch } from './tape.ts';

/** @file Projections without gradients, in the form in which each kind of weights is read fastest. */

/** A weight `[to, from]` and its bias, where it has one. */
export type Factor = { readonly weight: Value; readonly bias: Value | undefined };

/** Rows `[rows, from]` to the outputs of some projections side by side. The graph may be a body of the one around it. */
export type Product = (graph: GraphBuilder, x: Value) => Value;

/** Weights that are inputs: joined and turned to `[in, out]` once a run, in `graph`. */
export function turnedProduct(graph: GraphBuilder, factors: readonly Factor[]): Product {
  const joined = (values: readonly Value[]) =>
    values.length > 1 ? graph.op('Concat', values, { axis: 0 }) : values[0]!;
  const turned = graph.op('Transpose', [joined(factors.map(({ weight }) => weight))], { perm: [1, 0] });
  const biases = factors.flatMap(({ bias }) => bias ?? []);
  const bias = biases.length > 0 ? joined(biases) : undefined;
  return (body, x) => {
    const product = body.op('MatMul', [x, turned]);
    return bias === undefined ? product : body.op('Add', [product, bias]);
  };
}

/** Mapped weights are read where they lie, for anything made of them would be a copy; an adapter stands beside them. */
export function straightProduct(factors: readonly Factor[], branches: ReadonlyMap<Value, Branch>): Product {
  return (graph, x) => {
    const parts = factors.map((factor) => straight(graph, x, factor, branches.get(factor.weight)));
    return parts.length > 1 ? graph.op('Concat', parts, { axis: 1 }) : parts[0]!;
  };
}

function straight(graph: GraphBuilder, x: Value, { weight, bias }: Factor, branch: Branch | undefined): Value {
  const product = graph.op('Gemm', [x, weight, ...(bias === undefined ? [] : [bias])], { transB: 1 });
  if (branch === undefined) return product;
  const low = graph.op('Gemm', [x, branch.a], { transB: 1, alpha: { float: branch.scale } });
  return graph.op('Gemm', [low, branch.b, product], { transB: 1 });
}
