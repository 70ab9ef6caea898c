import { z } from 'zod';
import { ModelError } from '../../../../errors.ts';
import type { GgufFile, GgufTensor } from './gguf-file.ts';
import { float32, wholeNumber } from './metadata.ts';

/** Llama 3.1 to 3.3 stretch the slow rotations; a GGUF file holds by how much, not the rule that it follows from. */
export const ROPE_FACTORS = 'rope_freqs.weight';

/** Phi-3 has a factor for each pair of numbers, for short texts and for long ones. */
export const SHORT_FACTORS = 'rope_factors_short.weight';
export const LONG_FACTORS = 'rope_factors_long.weight';

/** The rule as `rope_scaling` of `config.json` has it. */
export const llama3Schema = z.object({
  factor: z.number(),
  low_freq_factor: z.number(),
  high_freq_factor: z.number(),
  original_max_position_embeddings: z.number(),
});
type Llama3Rule = z.output<typeof llama3Schema>;

/** The rules that were published: Llama 3.1 and 3.3 have factor 8, Llama 3.2 has 32. */
const PUBLISHED: readonly Llama3Rule[] = [8, 32].map((factor) => ({
  factor,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
}));

/**
 * The fields of `config.json` that say how positions turn queries and keys.
 * @throws ModelError where they are scaled in a way that is not known.
 */
export async function ropeFieldsOf(
  file: GgufFile,
  architecture: string,
  headSize: number,
): Promise<Record<string, unknown>> {
  const key = (name: string): string => `${architecture}.rope.${name}`;
  const theta = file.metadata.find(key('freq_base'), float32) ?? 10_000;
  const turned = file.metadata.find(key('dimension_count'), wholeNumber) ?? headSize;
  const scaling = await scalingOf(file, key, { theta, headSize });
  return {
    rope_theta: theta,
    ...(turned !== headSize && { partial_rotary_factor: turned / headSize }),
    ...(scaling && { rope_scaling: scaling }),
  };
}

async function scalingOf(
  file: GgufFile,
  key: (name: string) => string,
  { theta, headSize }: { readonly theta: number; readonly headSize: number },
): Promise<Record<string, unknown> | undefined> {
  const { metadata, tensors } = file;
  const [llama3, short, long] = [ROPE_FACTORS, SHORT_FACTORS, LONG_FACTORS].map((name) => tensors.get(name));
  if (llama3 !== undefined) return llama3Rule(metadata.path, await file.read(llama3, 0, 1), theta, headSize);
  if (short !== undefined && long !== undefined) {
    const [short_factor, long_factor] = await Promise.all([short, long].map((one) => decimals(file, one)));
    return { rope_type: 'longrope', short_factor, long_factor };
  }
  const type = metadata.find(key('scaling.type'), z.string()) ?? 'none';
  if (type === 'none') return undefined;
  if (type === 'linear') return { rope_type: 'linear', factor: metadata.read(key('scaling.factor'), float32) };
  throw new ModelError(
    `${metadata.path}: ${key('scaling.type')} is "${type}"; supported are "none", "linear" and the factors of Llama 3 and Phi-3`,
  );
}

const decimals = async (file: GgufFile, tensor: GgufTensor): Promise<number[]> =>
  [...(await file.read(tensor, 0, 1))].map((one) => float32.parse(one));

/** The rule whose factors are those of the file. */
function llama3Rule(path: string, stored: Float32Array, theta: number, headSize: number): Record<string, unknown> {
  const found = PUBLISHED.find((rule) =>
    llama3Factors(rule, theta, headSize).every((one, at) => close(one, stored[at])),
  );
  if (found !== undefined) return { rope_type: 'llama3', ...found };
  throw new ModelError(`${path}: ${ROPE_FACTORS} follows no rule that is known; those of Llama 3.1 to 3.3 are`);
}

/** How many times slower each pair of numbers turns: `factor` where slow, 1 where fast, in between by interpolation. */
export function llama3Factors(rule: Llama3Rule, theta: number, headSize: number): number[] {
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: length } = rule;
  return Array.from({ length: headSize / 2 }, (_, pair) => {
    const wavelength = 2 * Math.PI * theta ** ((2 * pair) / headSize);
    const smooth = (length / wavelength - low) / (high - low);
    return 1 / Math.min(Math.max((1 - smooth) / factor + smooth, 1 / factor), 1);
  });
}

/** Factors were computed in 32 bits. */
const close = (wanted: number, stored: number | undefined): boolean =>
  stored !== undefined && Math.abs(stored / wanted - 1) < 1e-4;
