import { stream } from '../../../random.ts';
import { parameterShapes } from './architectures.ts';
import type { ModelConfig, ParameterShape } from './model-config.ts';

/** Named tensors that lie end to end in one array. */
export type ParameterSet = { readonly flat: Float32Array; readonly parameters: readonly ParameterShape[] };

/** Weights in a file of 32-bit floats: where each tensor begins, in bytes. */
export type StoredWeights = {
  readonly folder: string;
  readonly file: string;
  readonly offsets: ReadonlyMap<string, number>;
  /** Reads them all, in the order of {@link parameterShapes}. */
  load(): Float32Array;
};

/** One parameter as a window on the flat array. */
export type Parameter = { readonly name: string; readonly shape: readonly number[]; readonly data: Float32Array };

/**
 * All parameters of a model in one Float32Array, so that AdamW, gradient accumulation, copying and hashing are each
 * one pass over one array. `parameters` are views by Hugging Face name, in the order of {@link parameterShapes}.
 * Weights that lie in a file are read when somebody asks for them here; graphs map them straight from the file.
 */
export class Weights implements ParameterSet {
  readonly config: ModelConfig;
  /** How many numbers. */
  readonly size: number;
  /** Where graphs find them without a copy. */
  readonly stored: StoredWeights | undefined;
  #flat: Float32Array | undefined;
  #parameters: readonly Parameter[] | undefined;

  constructor(config: ModelConfig, source?: Float32Array | StoredWeights) {
    this.config = config;
    this.size = sizeOf(parameterShapes(config));
    if (source === undefined || source instanceof Float32Array) this.#flat = source ?? sharedFloats(this.size);
    else this.stored = source;
    if (this.#flat !== undefined) this.#parameters = windows(this.#flat, parameterShapes(config));
  }

  get flat(): Float32Array {
    this.#flat ??= this.stored!.load(); // one of the two is there
    return this.#flat;
  }

  get parameters(): readonly Parameter[] {
    this.#parameters ??= windows(this.flat, parameterShapes(this.config));
    return this.#parameters;
  }

  get(name: string): Parameter {
    const parameter = this.parameters.find((candidate) => candidate.name === name);
    if (parameter === undefined) throw new RangeError(`no parameter ${name}`);
    return parameter;
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
