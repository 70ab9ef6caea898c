import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { createProber } from '../probes/all-probes.ts';
import type { ProbeSettings } from '../probes/prober.ts';
import { openFamily } from '../problems/families.ts';
import type { RunParts } from '../recipe/run-parts.ts';
import { fingerprintFolder } from '../record/fingerprint.ts';
import { refuseUsed } from '../record/run-folder.ts';
import type { OpenTarget } from './open-target.ts';

/** A model folder, or a finished run, which stands for the model that it trained. */
export async function openFolderTarget(
  name: string,
  settings: ProbeSettings,
  { family, out }: { readonly family?: string; readonly out?: string },
  { openModel, probeTarget, prober }: RunParts,
): Promise<OpenTarget> {
  const folder = findModel(name);
  if (out !== undefined) await refuseUsed(out);
  const model = await openModel(folder, { fresh: false, seed: settings.seed });
  return {
    target: probeTarget(name, model.reference, model),
    prober: family === undefined ? prober : createProber(openFamily(family)),
    settings,
    out,
    about: async () => ({ model_sha256: await fingerprintFolder(folder), parameters: model.parameters }),
    close: () => model.policy.close(),
  };
}

function findModel(path: string): string {
  const folder = existsSync(join(path, 'run.yaml')) ? join(path, 'model') : path;
  if (existsSync(folder)) return folder;
  throw new InputError(`${folder}: no such model folder${folder === path ? '' : '; the run has not finished'}`);
}
