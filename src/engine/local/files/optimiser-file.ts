import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ModelError } from '../../../errors.ts';
import type { ParameterShape } from '../model/model-config.ts';
import { type Parameter, sizeOf, windows } from '../model/weights.ts';
import { type AdamState, initialAdamState } from '../policy/adamw.ts';
import { SafetensorsFile, writeSafetensors } from './safetensors.ts';

/** @file AdamW's moments by parameter, and the steps done: what a policy needs beside its weights to go on. */

const OPTIMISER = 'optimizer.safetensors';

/** @param shapes the parameters that are trained, in the order in which the moments hold them. */
export function writeOptimiser(folder: string, shapes: readonly ParameterShape[], adam: AdamState): Promise<void> {
  const metadata = { format: 'pt', step: String(adam.step) };
  return writeSafetensors(join(folder, OPTIMISER), moments(shapes, adam), metadata);
}

/** @throws ModelError where the file is missing or damaged, or belongs to other parameters. */
export async function readOptimiser(folder: string, shapes: readonly ParameterShape[]): Promise<AdamState> {
  const file = await SafetensorsFile.open(join(folder, OPTIMISER));
  try {
    return await readMoments(file, shapes);
  } finally {
    await file.close();
  }
}

async function readMoments(file: SafetensorsFile, shapes: readonly ParameterShape[]): Promise<AdamState> {
  const step = Number(file.metadata.step);
  if (!Number.isSafeInteger(step) || step < 0) throw new ModelError(`${file.path}: says no number of steps`);
  const adam = { ...initialAdamState(sizeOf(shapes)), step };
  const wanted = moments(shapes, adam);
  for (const { name, shape, data } of wanted) {
    const tensor = file.tensors.get(name);
    if (tensor === undefined || !isDeepStrictEqual(tensor.shape, shape)) {
      throw new ModelError(`${file.path}: ${name} of shape [${shape.join(', ')}] is missing; load another folder`);
    }
    await file.read(tensor, data);
  }
  if (file.tensors.size === wanted.length) return adam;
  throw new ModelError(`${file.path}: has ${file.tensors.size} tensors, not ${wanted.length}; load another folder`);
}

/** Windows on the moments, by parameter. */
function moments(shapes: readonly ParameterShape[], { mean, square }: AdamState): Parameter[] {
  return Object.entries({ mean, square }).flatMap(([moment, flat]) =>
    windows(flat, shapes).map((parameter) => ({ ...parameter, name: `${moment}.${parameter.name}` })),
  );
}
