import type { GraphBuilder, Value } from './onnx/graph-builder.ts';
import { type Operator, type OperatorName, type OptionsOf, operators, type Recorded } from './operators.ts';

type Entry = Recorded & { readonly backward: (gradients: readonly Value[]) => readonly (Value | undefined)[] };

/**
 * Emits operators and remembers them, so that {@link gradients} can walk back. The graph holds forward and backward;
 * there is no differentiation at run time.
 */
export class Tape {
  readonly graph: GraphBuilder;
  readonly #entries: Entry[] = [];

  constructor(graph: GraphBuilder) {
    this.graph = graph;
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
   * Gradients of the wanted values, given those of the outputs. Everything on the tape must lie on a path to an output.
   * @param outputs values and their gradients.
   */
  gradients(outputs: ReadonlyMap<Value, Value>, wanted: readonly Value[]): Value[] {
    const found = new Map(outputs);
    for (const entry of [...this.#entries].reverse()) {
      const gradients = entry.outputs.map((value) => found.get(value)!);
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
