import type { GraphBuilder, Value } from './onnx/graph-builder.ts';
import { type Operator, type OperatorName, type OptionsOf, operators, type Recorded } from './operators.ts';

type Entry = Recorded & { readonly backward: (gradients: readonly Value[]) => readonly (Value | undefined)[] };

/** A low-rank branch beside a weight W: x W' + scale (x A') B' (Hu et al. 2021). A is `[rank, from]`, B `[to, rank]`. */
export type Branch = { readonly a: Value; readonly b: Value; readonly rank: number; readonly scale: number };

/**
 * Emits operators and remembers them, so that {@link gradients} can walk back. The graph holds forward and backward;
 * there is no differentiation at run time.
 */
export class Tape {
  readonly graph: GraphBuilder;
  /** By the weight that each is beside. */
  readonly branches: ReadonlyMap<Value, Branch>;
  readonly #entries: Entry[] = [];

  constructor(graph: GraphBuilder, branches: ReadonlyMap<Value, Branch> = new Map()) {
    this.graph = graph;
    this.branches = branches;
  }

  /** An operator with one output. */
  apply<Name extends OperatorName>(name: Name, inputs: readonly Value[], options: OptionsOf<Name>): Value {
    return this.applyAll(name, inputs, options)[0]!;
  }

  applyAll<Name extends OperatorName>(
    name: Name,
    inputs: readonly Value[],
    options: OptionsOf<Name>,
  ): readonly Value[] {
    const operator = operators[name] as Operator<OptionsOf<Name>>; // the table's entry of this name takes these options
    const { outputs, saved = [] } = operator.forward(this.graph, inputs, options);
    const recorded = { inputs, outputs, saved };
    const backward = (gradients: readonly Value[]) => operator.backward(this.graph, recorded, gradients, options);
    this.#entries.push({ ...recorded, backward });
    return outputs;
  }

  /**
   * Gradients of the wanted values, given those of the outputs. What lies on no path to an output is passed over; what
   * no wanted gradient needs is emitted all the same, and pruned with the graph.
   * @param outputs values and their gradients.
   */
  gradients(outputs: ReadonlyMap<Value, Value>, wanted: readonly Value[]): Value[] {
    const found = new Map(outputs);
    for (const entry of [...this.#entries].reverse()) {
      const gradients = entry.outputs.flatMap((value) => found.get(value) ?? []);
      if (gradients.length === 0) continue;
      entry.backward(gradients).forEach((part, index) => {
        if (part !== undefined) this.#accumulate(found, entry.inputs[index]!, part);
      });
    }
    return wanted.map((value) => found.get(value)!);
  }

  #accumulate(found: Map<Value, Value>, value: Value, part: Value): void {
    const sum = found.get(value);
    found.set(value, sum === undefined ? part : this.graph.op('Add', [sum, part]));
  }
}
