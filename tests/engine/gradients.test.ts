import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { GraphBuilder, type Value } from '../../src/engine/local/compiler/onnx/graph-builder.ts';
import { type OperatorName, type OptionsOf, operators } from '../../src/engine/local/compiler/operators.ts';
import { Tape } from '../../src/engine/local/compiler/tape.ts';
import { stream } from '../../src/random.ts';

/** An input of an operator: random numbers that are differentiated, or constants that are not. */
type Input =
  | { readonly shape: readonly number[] }
  | { readonly shape: readonly number[]; readonly indices: readonly number[] }
  | { readonly shape: readonly number[]; readonly constants: readonly number[] };

type Case<Name extends OperatorName> = { readonly inputs: readonly Input[]; readonly options: OptionsOf<Name> };

const random = (...shape: number[]): Input => ({ shape });
const indices = (values: readonly number[], ...shape: number[]): Input => ({ shape, indices: values });
const constants = (values: readonly number[], ...shape: number[]): Input => ({ shape, constants: values });

/** Five positions, two pairs. */
const angles = Array.from({ length: 10 }, (_, at) => Math.floor(at / 2) * [1, 0.14][at % 2]!);
const hidden = -1e9;
const causal = [0, hidden, hidden, 0, 0, hidden, 0, 0, 0];

/** Two sequences of 3 and 2 tokens whose first token is shared: rows 0, 1, 2 and 0, 3; the padding names row 3. */
const place = [0, 1, 2, 0, 3, 3];
const headsAt = (heads: number, from: number, count: number) =>
  [place.slice(0, 3), place.slice(3)].flatMap((rows) =>
    Array.from({ length: count }, (_, head) => rows.map((row) => row * heads + from + head)).flat(),
  );
/** Rows 0, 1, 2 live in sequence 0, row 3 at position 1 of sequence 1; two heads, three positions. */
const homes = [0, 1, 2, 7].flatMap((first) => [first, first + 3]);

const cases: { readonly [Name in OperatorName]: Readonly<Record<string, Case<Name>>> } = {
  pick: { 'a row twice': { inputs: [random(5, 3), indices([2, 0, 2, 4], 4)], options: {} } },
  linear: {
    widening: { inputs: [random(4, 3), random(5, 3)], options: { from: 3, to: 5 } },
    narrowing: { inputs: [random(4, 5), random(3, 5)], options: { from: 5, to: 3 } },
  },
  biasedLinear: { plain: { inputs: [random(4, 3), random(5, 3), random(5)], options: { from: 3, to: 5 } } },
  residualLinear: { plain: { inputs: [random(4, 5), random(3, 5), random(4, 3)], options: { from: 5, to: 3 } } },
  add: { plain: { inputs: [random(3, 4), random(3, 4)], options: {} } },
  bias: { plain: { inputs: [random(3, 4), random(4)], options: {} } },
  shift: { plain: { inputs: [random(3, 4)], options: { by: 1 } } },
  scale: { plain: { inputs: [random(3, 4)], options: { by: -2.5 } } },
  softCap: { plain: { inputs: [random(3, 4)], options: { cap: 0.7 } } },
  beside: { plain: { inputs: [random(3, 4), random(3, 2)], options: { widths: [4, 2] } } },
  apart: { plain: { inputs: [random(3, 6)], options: { widths: [4, 2] } } },
  geglu: { plain: { inputs: [random(3, 4), random(3, 4)], options: {} } },
  stack: {
    matrices: { inputs: [random(2, 3), random(1, 3), random(3, 3)], options: { heights: [2, 1, 3] } },
    biases: { inputs: [random(2), random(3)], options: { heights: [2, 3] } },
  },
  rmsNorm: {
    rows: { inputs: [random(4, 6), random(6)], options: { width: 6, epsilon: 1e-3 } },
    'each head': { inputs: [random(2, 2, 3, 4), random(4)], options: { width: 4, epsilon: 1e-3 } },
  },
  splitHeads: {
    'two query heads, one key head, padding, a shared row': {
      inputs: [
        random(4, 12),
        indices(headsAt(4, 0, 2), 2, 2, 3),
        indices(headsAt(4, 2, 1), 2, 1, 3),
        indices(headsAt(4, 3, 1), 2, 1, 3),
      ],
      options: { width: 12, size: 3 },
    },
  },
  joinHeads: { plain: { inputs: [random(2, 2, 3, 3), indices(homes, 4, 2)], options: { heads: 2, size: 3 } } },
  rotary: {
    plain: {
      inputs: [
        random(2, 2, 3, 4),
        indices([0], 1),
        constants(angles.map(Math.cos), 5, 2),
        constants(angles.map(Math.sin), 5, 2),
      ],
      options: { heads: 2, turned: 4 },
    },
    'a part of each head, scaled': {
      inputs: [
        random(1, 2, 3, 6),
        indices([0], 1),
        constants(
          angles.map((angle) => 1.3 * Math.cos(angle)),
          5,
          2,
        ),
        constants(
          angles.map((angle) => 1.3 * Math.sin(angle)),
          5,
          2,
        ),
      ],
      options: { heads: 2, turned: 4 },
    },
  },
  attend: {
    'a group of two, causal': {
      inputs: [random(1, 2, 6, 4), random(1, 2, 3, 4), random(1, 2, 3, 4), constants([...causal, ...causal], 6, 3)],
      options: { scale: 0.5 },
    },
  },
  reshape: { plain: { inputs: [random(2, 4, 3)], options: { shape: [0, 2, -1], before: [0, 4, 3] } } },
  swiglu: { plain: { inputs: [random(3, 4), random(3, 4)], options: {} } },
  targetLogprob: {
    hard: { inputs: [random(3, 5), indices([1, 4, 0], 3, 1), constants([1, 1, 1], 3, 1)], options: {} },
    'soft, one token twice': {
      inputs: [random(3, 5), indices([1, 4, 0, 0, 2, 3], 3, 2), constants([0.3, 0.9, 0.4, 0.2, -0.5, 1], 3, 2)],
      options: {},
    },
  },
};

/** No output has more numbers. */
const LONGEST = 64;

/** An operator with its inputs, the gradients that its rule gives, and what an outcome's change looks like. */
class Subject {
  readonly #session: InferenceSession;
  readonly #feeds: Record<string, Tensor>;
  readonly #outputs: number;

  private constructor(session: InferenceSession, feeds: Record<string, Tensor>, outputs: number) {
    this.#session = session;
    this.#feeds = feeds;
    this.#outputs = outputs;
  }

  /** The output gradients are random, so the outcome is a random mixture of all outputs. */
  static async open<Name extends OperatorName>(name: Name, { inputs, options }: Case<Name>): Promise<Subject> {
    const draws = stream(1, 'gradients', name);
    const noise = (length: number) => Float32Array.from({ length }, () => 2 * draws.uniform() - 1);
    const graph = new GraphBuilder(name);
    const tape = new Tape(graph);
    const names = inputs.map((input, nth) =>
      graph.input(`input${nth}`, 'indices' in input ? 'int64' : 'float32', input.shape),
    );
    const outputs = tape.applyAll(name, names, options);
    for (const [nth, value] of outputs.entries()) graph.output(`output${nth}`, value, 'float32', [`free${nth}`]);
    const seeds = outputs.map((value, nth) => seedLike(graph, value, `seed${nth}`));
    const wanted = names.filter((_, nth) => isRandom(inputs[nth]!));
    const gradients = tape.gradients(new Map(outputs.map((value, nth) => [value, seeds[nth]!])), wanted);
    for (const [nth, value] of gradients.entries()) {
      graph.output(`gradient of ${wanted[nth]}`, value, 'float32', [`size${nth}`]);
    }
    const session = await InferenceSession.create(graph.encode(), { intraOpNumThreads: 1, logSeverityLevel: 3 });

    const feeds = Object.fromEntries(inputs.map((input, nth) => [names[nth]!, tensor(input, noise)]));
    outputs.forEach((_, nth) => {
      feeds[`seed${nth}`] = new Tensor(noise(LONGEST));
    });
    return new Subject(session, feeds, outputs.length);
  }

  async outcome(): Promise<number> {
    const names = Array.from({ length: this.#outputs }, (_, nth) => `output${nth}`);
    const results = await this.#session.run(this.#feeds, names);
    return names.reduce((sum, name, nth) => sum + dot(floats(results[name]!), floats(this.#feeds[`seed${nth}`]!)), 0);
  }

  async gradient(input: string): Promise<Float32Array> {
    return floats((await this.#session.run(this.#feeds, [`gradient of ${input}`]))[`gradient of ${input}`]!);
  }

  /** Central differences of fourth order: their own error is far below that of single precision. */
  async difference(input: string, at: number): Promise<number> {
    const step = 1 / 32;
    const data = floats(this.#feeds[input]!);
    const start = data[at]!;
    const outcomes: number[] = [];
    for (const steps of [-2, -1, 1, 2]) {
      data[at] = start + steps * step;
      outcomes.push(await this.outcome());
    }
    data[at] = start;
    const [twoBack, back, on, twoOn] = outcomes as [number, number, number, number]; // four steps, four outcomes
    return (8 * (on - back) - (twoOn - twoBack)) / (12 * step);
  }
}

/** As many of the seed's numbers as the value has, in its shape. */
function seedLike(graph: GraphBuilder, value: Value, name: string): Value {
  const all = graph.input(name, 'float32', [LONGEST]);
  const count = graph.op('Reshape', [graph.op('Size', [value]), graph.integers([1])]);
  return graph.op('Reshape', [graph.op('Slice', [all, graph.integers([0]), count]), graph.op('Shape', [value])]);
}

const isRandom = (input: Input): boolean => !('indices' in input || 'constants' in input);

function tensor(input: Input, noise: (length: number) => Float32Array): Tensor {
  if ('indices' in input) return new Tensor('int64', BigInt64Array.from(input.indices, BigInt), input.shape);
  if ('constants' in input) return new Tensor('float32', Float32Array.from(input.constants), input.shape);
  return new Tensor('float32', noise(input.shape.reduce((product, size) => product * size, 1)), input.shape);
}

const floats = ({ data }: { readonly data: unknown }): Float32Array => data as Float32Array; // all are float outputs

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, at) => sum + value * b[at]!, 0);

describe.each(Object.keys(operators) as OperatorName[])('the gradient of %s', (name) => {
  test.each(Object.entries(cases[name]))('%s', async (_, each) => {
    const subject = await Subject.open(name, each as Case<typeof name>); // the table's entry of this name
    for (const [nth, input] of each.inputs.entries()) {
      if (!isRandom(input)) continue;
      const gradient = await subject.gradient(`input${nth}`);
      const largest = Math.max(...gradient.map(Math.abs));
      expect(largest).toBeGreaterThan(0);
      for (let at = 0; at < gradient.length; at++) {
        const error = Math.abs(gradient[at]! - (await subject.difference(`input${nth}`, at)));
        expect(error / largest).toBeLessThan(1e-4);
      }
    }
  });
});
