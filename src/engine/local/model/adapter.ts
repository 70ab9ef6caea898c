import { EngineError } from '../../../errors.ts';
import { stream } from '../../../random.ts';
import { parameterShapes } from './architectures.ts';
import type { ModelConfig, ParameterShape } from './model-config.ts';
import { type ParameterSet, sharedFloats, sizeOf, Weights, windows } from './weights.ts';

/** The matrices that can be adapted, by the last part of their names and by what they belong to. */
export const MODULES = {
  attention: ['q_proj', 'k_proj', 'v_proj', 'qkv_proj', 'o_proj'],
  mlp: ['gate_proj', 'up_proj', 'gate_up_proj', 'down_proj'],
  unembedding: ['lm_head'],
} as const;

export const ADAPTABLE = [...MODULES.attention, ...MODULES.mlp, ...MODULES.unembedding] as const;

export type Module = (typeof ADAPTABLE)[number];

/** The adaptable matrices of a model. */
export function modulesOf(config: ModelConfig): Module[] {
  const names = parameterShapes({ ...config, tiedEmbedding: false }).map(({ name }) => name.split('.').at(-2));
  return ADAPTABLE.filter((module) => names.includes(module));
}

/** W + alpha / rank B A in the place of every matrix W of these modules (Hu et al. 2021). */
export type AdapterShape = { readonly rank: number; readonly alpha: number; readonly modules: readonly Module[] };

/** An adapted matrix: its parameter's name, and those of its factors A `[rank, in]` and B `[out, rank]`. */
export type Adapted = { readonly matrix: ParameterShape; readonly a: ParameterShape; readonly b: ParameterShape };

/** The adapted matrices of a model in the order of its parameters; factors are called as PEFT calls them. */
export function adaptedMatrices(config: ModelConfig, { rank, modules }: AdapterShape): Adapted[] {
  const names: readonly string[] = modules.map((module) => `${module}.weight`);
  return parameterShapes(config)
    .filter(({ name }) => names.some((wanted) => name === wanted || name.endsWith(`.${wanted}`)))
    .map((matrix) => {
      const [height, width] = matrix.shape as [number, number]; // all adaptable parameters are matrices
      const factor = (which: string) => matrix.name.replace(/weight$/, `lora_${which}.weight`);
      return {
        matrix,
        a: { name: factor('A'), shape: [rank, width] },
        b: { name: factor('B'), shape: [height, rank] },
      };
    });
}

/** Every factor of an adapter, in the order in which they lie in its flat array. */
export function factorShapes(config: ModelConfig, shape: AdapterShape): ParameterShape[] {
  return adaptedMatrices(config, shape).flatMap(({ a, b }) => [a, b]);
}

/** The factors of all adapted matrices of a model, end to end. */
export type Adapter = { readonly config: ModelConfig; readonly shape: AdapterShape; readonly flat: Float32Array };

const factorSets = new WeakMap<Adapter, ParameterSet>();

/** The factors by name; the same object for the same adapter, so that a worker keeps them once. */
export function factorsOf(adapter: Adapter): ParameterSet {
  const known = factorSets.get(adapter);
  if (known !== undefined) return known;
  const set = { flat: adapter.flat, parameters: factorShapes(adapter.config, adapter.shape) };
  factorSets.set(adapter, set);
  return set;
}

/** The config of the weights that such an adapter is added to: a head is untied where it is adapted. */
export function adaptedConfig(config: ModelConfig, { modules }: AdapterShape): ModelConfig {
  return modules.includes('lm_head') ? { ...config, tiedEmbedding: false } : config;
}

/**
 * A fresh adapter, which changes nothing yet: B = 0, and A is uniform in +-1 / sqrt(in), as Microsoft's code and PEFT
 * have it (Kaiming's rule with slope sqrt 5).
 * @throws EngineError where rank or modules leave nothing to adapt.
 */
export function initialAdapter(config: ModelConfig, shape: AdapterShape, seed: number): Adapter {
  const { rank, modules } = shape;
  if (!Number.isInteger(rank) || rank < 1) throw new EngineError(`lora: rank is ${rank}; it is a whole number from 1`);
  if (modules.length === 0)
    throw new EngineError('lora: no module is trained; switch attention, MLP or unembedding on');
  const shapes = factorShapes(config, shape);
  const flat = sharedFloats(sizeOf(shapes));
  for (const { name, shape, data } of windows(flat, shapes)) {
    if (name.endsWith('lora_A.weight')) fillUniform(data, shape[1]! ** -0.5, seed, name);
  }
  return { config, shape, flat };
}

function fillUniform(data: Float32Array, bound: number, seed: number, name: string): void {
  const draws = stream(seed, 'initial adapter', name);
  for (let at = 0; at < data.length; at++) data[at] = bound * (2 * draws.uniform() - 1);
}

/** The weights with an adapter put in, W + alpha / rank B A; the others are copied. */
export function withAdapter(base: Weights, { config, shape, flat }: Adapter): Weights {
  const merged = baseFor(base, shape).copy();
  const factors = new Map(windows(flat, factorShapes(config, shape)).map((each) => [each.name, each.data]));
  for (const { matrix, a, b } of adaptedMatrices(config, shape)) {
    const [left, right] = [factors.get(b.name)!, factors.get(a.name)!]; // both are among the factors
    addProduct(merged.get(matrix.name).data, left, right, shape);
  }
  return merged;
}

/** Adds alpha / rank B A to a matrix, row by row. */
function addProduct(target: Float32Array, b: Float32Array, a: Float32Array, { rank, alpha }: AdapterShape): void {
  const width = a.length / rank;
  for (let at = 0; at < target.length; at++) {
    const [row, column] = [Math.floor(at / width) * rank, at % width];
    let sum = 0;
    for (let nth = 0; nth < rank; nth++) sum += b[row + nth]! * a[nth * width + column]!; // inside both
    target[at]! += (alpha / rank) * sum;
  }
}

/** The weights that an adapter is merged into: where it adapts a head that is tied to the embedding, an untied copy. */
export function baseFor(base: Weights, shape: AdapterShape): Weights {
  const config = adaptedConfig(base.config, shape);
  if (config.tiedEmbedding === base.config.tiedEmbedding) return base;
  const copy = new Weights(config);
  copy.flat.set(base.flat); // the head comes last
  copy.get('lm_head.weight').data.set(base.get('model.embed_tokens.weight').data);
  return copy;
}
