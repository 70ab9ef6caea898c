import { stream } from '../../../random.ts';
import { parameterShapes } from './architectures.ts';
import type { ModelConfig, ParameterShape } from './model-config.ts';

/** One parameter as a window on the flat array. */
export type Parameter = { readonly name: string; readonly shape: readonly number[]; readonly data: Float32Array };

/**
 * All parameters of a model in one Float32Array, so that AdamW, gradient accumulation, copying and hashing are each
 * one pass over one array. `parameters` are views by Hugging Face name, in the order of {@link parameterShapes}.
 */
export class Weights {
  readonly flat: Float32Array;
  readonly parameters: readonly Parameter[];

  constructor(
    readonly config: ModelConfig,
    flat?: Float32Array,
  ) {
    const shapes = parameterShapes(config);
    this.flat = flat ?? sharedFloats(sizeOf(shapes));
    this.parameters = windows(this.flat, shapes);
  }

  get(name: string): Parameter {
    const parameter = this.parameters.find((candidate) => candidate.name === name);
    if (parameter === undefined) throw new RangeError(`no parameter ${name}`);
    return parameter;
  }

  /** The parameter that holds the weight at this place of `flat`. */
  nameAt(place: number): string {
    return this.parameters.findLast(({ data }) => data.byteOffset <= this.flat.byteOffset + 4 * place)!.name;
  }

  copy(): Weights {
    const copy = new Weights(this.config);
    copy.flat.set(this.flat);
    return copy;
  }
}

/** How many numbers parameters of these shapes have. */
export function sizeOf(shapes: readonly ParameterShape[]): number {
  return shapes.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}

/** Parameters of these shapes as windows on an array in which they lie end to end. */
export function windows(flat: Float32Array, shapes: readonly ParameterShape[]): Parameter[] {
  const total = sizeOf(shapes);
  if (flat.length !== total) throw new RangeError(`${flat.length} weights, not ${total}`);
  let offset = 0;
  return shapes.map((each) => {
    const from = offset;
    offset += sizeOf([each]);
    return { ...each, data: flat.subarray(from, offset) };
  });
}

/** Zeros in memory that worker threads see, too. */
export function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT));
}

/** Fresh weights: matrices N(0, deviation), output projections shrunk by 1 / sqrt(2 layers) (GPT-2), norms 1, biases 0. */
export function initialWeights(config: ModelConfig, seed: number, deviation = 0.02): Weights {
  const weights = new Weights(config);
  const shrunk = deviation / Math.sqrt(2 * config.layers);
  for (const { name, data } of weights.parameters) {
    if (name.endsWith('norm.weight')) data.fill(1);
    else if (!name.endsWith('bias')) fillNormal(data, /(o_proj|down_proj)/.test(name) ? shrunk : deviation, seed, name);
  }
  return weights;
}

/** Box-Muller, one draw per number. */
function fillNormal(data: Float32Array, deviation: number, seed: number, name: string): void {
  const draws = stream(seed, 'initial weights', name);
  for (let index = 0; index < data.length; index++) {
    const radius = Math.sqrt(-2 * Math.log(1 - draws.uniform()));
    data[index] = deviation * radius * Math.cos(2 * Math.PI * draws.uniform());
  }
}
