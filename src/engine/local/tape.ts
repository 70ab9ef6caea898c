import type { GraphBuilder, Value } from './onnx/graph-builder.ts';
import { type Operator, type OperatorName, type OptionsOf, operators, type Recorded } from './operators.ts';

type Entry = Recorded & { readonly backward: (gradient: Value) => readonly (Value | undefined)[] };

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

  apply<Name extends OperatorName>(name: Name, inputs: readonly Value[], options: OptionsOf<Name>): Value {
    const operator = operators[name] as Operator<OptionsOf<Name>>; // the table's entry of this name takes these options
    const { output, saved = [] } = operator.forward(this.graph, inputs, options);
    const recorded = { inputs, output, saved };
    const backward = (gradient: Value) => operator.backward(this.graph, recorded, gradient, options);
    this.#entries.push({ ...recorded, backward });
    return output;
  }

  /** Gradients of the wanted values, given the gradient of `output`. Every wanted value must lie on a path to it. */
  gradients(output: Value, seed: Value, wanted: readonly Value[]): Value[] {
    const found = new Map<Value, Value>([[output, seed]]);
    for (const entry of [...this.#entries].reverse()) {
      const gradient = found.get(entry.output);
      if (gradient === undefined) continue;
      entry.backward(gradient).forEach((part, index) => {
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
