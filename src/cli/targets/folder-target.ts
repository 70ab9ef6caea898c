import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import type { ProbeSettings } from '../../probes/prober.ts';
import { openRecipeFamily } from '../../recipe/open-family.ts';
import type { RunParts } from '../../recipe/run-parts.ts';
import { fingerprintFolder } from '../../record/fingerprint.ts';
import { refuseUsed } from '../../record/run-folder.ts';
import type { Mode } from '../../results/mode.ts';
import { openProblems } from '../open-problems.ts';
import type { OpenTarget } from './open-target.ts';

/** What is measured, and how. */
export type FolderOptions = {
  readonly family?: string;
  readonly set?: readonly string[];
  readonly mode?: Mode;
  readonly out?: string;
};

/** A model folder, or a finished run, which stands for the model that it trained. */
export async function openFolderTarget(
  name: string,
  settings: ProbeSettings,
  options: FolderOptions,
  { openModel, probeTarget, prober, families }: RunParts,
): Promise<OpenTarget> {
  const { out, mode } = options;
  const folder = findModel(name);
  if (out !== undefined) await refuseUsed(out);
  const chosen = await chosenFamily(options, families);
  const model = await openModel(folder, { fresh: false, seed: settings.seed });
  const target = probeTarget(name, model.reference, model);
  return {
    target: mode === undefined ? target : { ...target, mode },
    prober: prober(chosen ?? (await openRecipeFamily(undefined, model, { families, folder: '.' }))),
    settings,
    out,
    about: async () => ({ model_sha256: await fingerprintFolder(folder), parameters: model.parameters }),
    close: () => model.policy.close(),
  };
}

async function chosenFamily({ family, set }: FolderOptions, families: RunParts['families']) {
  if (family === undefined && set !== undefined) throw new InputError(`--set ${set[0]}: of which --family?`);
  return family === undefined ? undefined : openProblems(family, set, undefined, families);
}

function findModel(path: string): string {
  const folder = existsSync(join(path, 'run.yaml')) ? join(path, 'model') : path;
  if (existsSync(folder)) return folder;
  throw new InputError(`${folder}: no such model folder${folder === path ? '' : '; the run has not finished'}`);
}
