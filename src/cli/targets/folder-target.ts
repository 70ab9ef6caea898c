import type { ProbeSettings } from '../../probes/prober.ts';
import type { ProblemFamily } from '../../problems/problem-family.ts';
import { openRecipeFamily } from '../../recipe/open-family.ts';
import type { Model, RunParts } from '../../recipe/run-parts.ts';
import { fingerprintFolder } from '../../record/fingerprint.ts';
import { checkUnused } from '../../record/run-folder.ts';
import type { Mode } from '../../results/mode.ts';
import type { DisplayOptions } from '../display/open-display.ts';
import { findModel } from '../find-model.ts';
import { openProblems } from '../open-problems.ts';
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
  { openModel, probeTarget, prober, families }: RunParts,
): Promise<OpenTarget> {
  const { out, mode } = options;
  const { folder, ...found } = await findModel(name, options);
  if (out !== undefined) await checkUnused(out);
  const chosen = await chosenFamily(options, families);
  const model = await openModel(folder, { fresh: false, seed: settings.seed });
  const target = probeTarget(name, model.reference, model);
  return {
    target: mode === undefined ? target : { ...target, mode },
    prober: prober(await fittingFamily(chosen, options.set, model, families)),
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

async function chosenFamily({ family, set }: FolderOptions, families: RunParts['families']) {
  return family === undefined ? undefined : openProblems(family, set, undefined, families);
}

/**
 * The family that was chosen, or else the usual one of the model: the one that it grew up on, if it declares its text,
 * with the dials declared there unless others were asked for.
 */
async function fittingFamily(
  chosen: ProblemFamily<unknown> | undefined,
  dials: readonly string[] | undefined,
  model: Model,
  families: RunParts['families'],
): Promise<ProblemFamily<unknown>> {
  const usual = await openRecipeFamily(undefined, model, { families, folder: '.' });
  if (dials === undefined && (chosen?.name ?? usual.name) === usual.name) return usual;
  return chosen ?? openProblems(usual.name, dials, undefined, families);
}
