import { z } from 'zod';
import { ModelError } from '../../../../errors.ts';
import type { GgufFile } from './gguf-file.ts';
import { float32 } from './metadata.ts';

/** Llama 3.1 to 3.3 stretch the slow rotations; a GGUF file holds by how much, not the rule that it follows from. */
export const ROPE_FACTORS = 'rope_freqs.weight';

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
 * `rope_scaling` of `config.json`; undefined where positions are not scaled.
 * @throws ModelError where they are scaled in a way that is not known.
 */
export async function ropeScaling(
  file: GgufFile,
  architecture: string,
  headSize: number,
): Promise<Record<string, unknown> | undefined> {
  const { metadata, tensors } = file;
  const type = metadata.find(`${architecture}.rope.scaling.type`, z.string()) ?? 'none';
  const tensor = tensors.get(ROPE_FACTORS);
  if (tensor !== undefined) {
    const theta = metadata.find(`${architecture}.rope.freq_base`, float32) ?? 10_000;
    return llama3Rule(metadata.path, await file.read(tensor, 0, 1), theta, headSize);
  }
  if (type === 'none') return undefined;
  if (type !== 'linear') {
    throw new ModelError(`${metadata.path}: rope.scaling.type is "${type}"; supported are "none" and "linear"`);
  }
  return { rope_type: 'linear', factor: metadata.read(`${architecture}.rope.scaling.factor`, float32) };
}

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
