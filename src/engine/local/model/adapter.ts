import { EngineError } from '../../../errors.ts';
import { stream } from '../../../random.ts';
import { parameterShapes } from './architectures.ts';
import type { ModelConfig, ParameterShape } from './model-config.ts';
import { sizeOf, Weights, windows } from './weights.ts';

/** The matrices that can be adapted, by the last part of their names. */
export const ADAPTABLE = [
  'q_proj',
  'k_proj',
  'v_proj',
  'o_proj',
  'gate_proj',
  'up_proj',
  'down_proj',
  'lm_head',
] as const;

export type Module = (typeof ADAPTABLE)[number];

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
  const flat = new Float32Array(sizeOf(shapes));
  for (const { name, shape, data } of windows(flat, shapes)) {
    if (name.endsWith('lora_A.weight')) fillUniform(data, shape[1]! ** -0.5, seed, name);
  }
  return { config, shape, flat };
}

function fillUniform(data: Float32Array, bound: number, seed: number, name: string): void {
  const draws = stream(seed, 'initial adapter', name);
  for (let at = 0; at < data.length; at++) data[at] = bound * (2 * draws.uniform() - 1);
}

/** One untied copy for all adapters of a base, so that a worker keeps it once. */
const untiedCopies = new WeakMap<Weights, Weights>();

/** The weights that such an adapter is added to: where it adapts a head that is tied to the embedding, an untied copy. */
export function baseFor(base: Weights, { modules }: AdapterShape): Weights {
  if (!base.config.tiedEmbedding || !modules.includes('lm_head')) return base;
  const known = untiedCopies.get(base);
  if (known !== undefined) return known;
  const copy = new Weights({ ...base.config, tiedEmbedding: false });
  copy.flat.set(base.flat); // the head comes last
  copy.get('lm_head.weight').data.set(base.get('model.embed_tokens.weight').data);
  untiedCopies.set(base, copy);
  return copy;
}
