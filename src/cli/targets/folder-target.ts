import { InputError } from '../../errors.ts';
import { createProber } from '../../probes/all-probes.ts';
import type { Prober, ProbeSettings } from '../../probes/prober.ts';
import { runningSumFamily } from '../../problems/running-sum-family.ts';
import type { Model, RunParts } from '../../recipe/run-parts.ts';
import { fingerprintFolder } from '../../record/fingerprint.ts';
import { refuseUsed } from '../../record/run-folder.ts';
import type { Mode } from '../../results/mode.ts';
import type { DisplayOptions } from '../display/open-display.ts';
import { findModel } from '../find-model.ts';
import { DEFAULT_FAMILY, openProblems } from '../open-problems.ts';
import type { OpenTarget } from './open-target.ts';

/** What is measured, and how. */
export type FolderOptions = DisplayOptions & {
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
  { openModel, probeTarget, prober }: RunParts,
): Promise<OpenTarget> {
  const { out, mode } = options;
  const { folder, ...found } = await findModel(name, options);
  if (out !== undefined) await refuseUsed(out);
  const chosen = await chosenProber(options);
  const model = await openModel(folder, { fresh: false, seed: settings.seed });
  const target = probeTarget(name, model.reference, model);
  return {
    target: mode === undefined ? target : { ...target, mode },
    prober: chosen ?? (await fittingProber(prober, model)),
    settings,
    out,
    about: async () => ({
      model: found.name,
      model_sha256: await fingerprintFolder(folder),
      parameters: model.parameters,
    }),
    close: () => model.policy.close(),
  };
}

async function chosenProber({ family, set }: FolderOptions): Promise<Prober | undefined> {
  if (family === undefined && set !== undefined) throw new InputError(`--set ${set[0]}: of which --family?`);
  return family === undefined ? undefined : createProber(await openProblems(family, set));
}

/** Only a model that grew up on the organism's text speaks its notation; any other is asked in words. */
async function fittingProber(prober: Prober, { baseText }: Model): Promise<Prober> {
  const foreign = prober.family === runningSumFamily.name && baseText === undefined;
  return foreign ? createProber(await openProblems(DEFAULT_FAMILY)) : prober;
}
