import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { writeWholeFolder } from '../../../disk/whole-folder.ts';
import { ModelError } from '../../../errors.ts';
import { type Adapter, type AdapterShape, factorShapes } from '../model/adapter.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { Weights } from '../model/weights.ts';
import type { AdamState } from '../policy/adamw.ts';
import { readModelFolder, writeModelFolder } from './model-folder.ts';
import { readOptimiser, writeOptimiser } from './optimiser-file.ts';
import { readPeftFolder, writePeftFiles } from './peft-folder.ts';

/** @file What a policy needs to go on as if nothing had happened: weights, AdamW's moments, the steps done. */

export type PolicyState = { readonly weights: Weights; readonly adam: AdamState };

/** Writes a model folder with the optimiser's state beside the weights; it is there whole or not at all. */
export function writeCheckpoint(folder: string, { weights, adam }: PolicyState): Promise<void> {
  return writeWholeFolder(folder, async (beside) => {
    await writeModelFolder(beside, weights);
    await writeOptimiser(beside, weights.parameters, adam);
  });
}

/** @throws ModelError where something is missing or damaged, or belongs to a model of another shape. */
export async function readCheckpoint(folder: string, config: ModelConfig): Promise<PolicyState> {
  const weights = await readModelFolder(folder);
  checkConfig(join(folder, 'config.json'), weights.config, config);
  return { weights, adam: await readOptimiser(folder, weights.parameters) };
}

function checkConfig(path: string, given: ModelConfig, wanted: ModelConfig): void {
  const { huggingFace: _, ...understood } = wanted;
  const fields = Object.keys(understood) as (keyof ModelConfig)[]; // Object.keys forgets the key type
  const field = fields.find((name) => !isDeepStrictEqual(given[name], wanted[name]));
  if (field === undefined) return;
  const shown = (config: ModelConfig) => JSON.stringify(config[field]).slice(0, 80);
  throw new ModelError(
    `${path}: ${field} is ${shown(given)}, but this policy's is ${shown(wanted)}; load another folder`,
  );
}

export type AdapterState = { readonly adapter: Adapter; readonly adam: AdamState };

/** As {@link writeCheckpoint}, with a PEFT folder in the place of the model folder. */
export function writeAdapterCheckpoint(
  folder: string,
  { adapter, adam }: AdapterState,
  baseModel: string | undefined,
): Promise<void> {
  return writeWholeFolder(folder, async (beside) => {
    await writePeftFiles(beside, adapter, baseModel);
    await writeOptimiser(beside, factorShapes(adapter.config, adapter.shape), adam);
  });
}

/** @throws ModelError where something is missing or damaged, or belongs to an adapter of another shape. */
export async function readAdapterCheckpoint(folder: string, base: Weights, shape: AdapterShape): Promise<AdapterState> {
  const adapter = await readPeftFolder(folder, base, shape);
  return { adapter, adam: await readOptimiser(folder, factorShapes(adapter.config, adapter.shape)) };
}
