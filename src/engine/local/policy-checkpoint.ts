import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ModelError } from '../../errors.ts';
import { writeWholeFolder } from '../../record/whole-folder.ts';
import { type AdamState, initialAdamState } from './adamw.ts';
import type { LlamaConfig } from './llama-config.ts';
import { readModelFolder, writeModelFolder } from './model-folder.ts';
import { SafetensorsFile, writeSafetensors } from './safetensors.ts';
import { type Parameter, Weights } from './weights.ts';

/** @file What a policy needs to go on as if nothing had happened: weights, AdamW's moments, the steps done. */

export type PolicyState = { readonly weights: Weights; readonly adam: AdamState };

const OPTIMISER = 'optimizer.safetensors';

/** Writes a model folder with the optimiser's state beside the weights; it is there whole or not at all. */
export function writeCheckpoint(folder: string, { weights, adam }: PolicyState): Promise<void> {
  return writeWholeFolder(folder, async (beside) => {
    await writeModelFolder(beside, weights);
    const metadata = { format: 'pt', step: String(adam.step) };
    await writeSafetensors(join(beside, OPTIMISER), moments(weights.config, adam), metadata);
  });
}

/** @throws ModelError where something is missing or damaged, or belongs to a model of another shape. */
export async function readCheckpoint(folder: string, config: LlamaConfig): Promise<PolicyState> {
  const weights = await readModelFolder(folder);
  checkConfig(join(folder, 'config.json'), weights.config, config);
  const file = await SafetensorsFile.open(join(folder, OPTIMISER));
  try {
    return { weights, adam: await readAdam(file, weights) };
  } finally {
    await file.close();
  }
}

function checkConfig(path: string, given: LlamaConfig, wanted: LlamaConfig): void {
  if (isDeepStrictEqual(given, wanted)) return;
  const fields = Object.keys(wanted) as (keyof LlamaConfig)[]; // Object.keys forgets the key type
  const field = fields.find((name) => given[name] !== wanted[name]);
  if (field === undefined) return;
  throw new ModelError(
    `${path}: ${field} is ${given[field]}, but this policy's is ${wanted[field]}; load another folder`,
  );
}

async function readAdam(file: SafetensorsFile, { config, flat }: Weights): Promise<AdamState> {
  const { mean, square } = initialAdamState(flat.length);
  const step = Number(file.metadata.step);
  if (!Number.isSafeInteger(step) || step < 0) throw new ModelError(`${file.path}: says no number of steps`);
  const adam = { mean, square, step };
  const wanted = moments(config, adam);
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
function moments(config: LlamaConfig, { mean, square }: AdamState): Parameter[] {
  return Object.entries({ mean, square }).flatMap(([moment, flat]) =>
    new Weights(config, flat).parameters.map((parameter) => ({ ...parameter, name: `${moment}.${parameter.name}` })),
  );
}
