import type { ProbeSettings } from '../../probes/prober.ts';
import { easierWays } from '../../problems/easier.ts';
import { withShots } from '../../problems/shots.ts';
import { openRecipeFamily } from '../../recipe/open-family.ts';
import type { Model, RunParts } from '../../recipe/run-parts.ts';
import { fingerprintFolder } from '../../record/fingerprint.ts';
import { checkUnused } from '../../record/run-folder.ts';
import type { Mode } from '../../results/mode.ts';
import { type Finding, findModel } from '../find-model.ts';
import { openProblems } from '../open-problems.ts';
import type { OpenTarget } from './open-target.ts';

/** What is measured, and how. */
export type FolderOptions = Finding & {
  readonly family?: string;
  readonly set?: readonly string[];
  readonly shots?: number;
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
  const model = await openModel(folder, { fresh: false, seed: settings.seed });
  const target = probeTarget(name, model.reference, model);
  const { family, easier } = await familyFor(model, options, families);
  return {
    target: mode === undefined ? target : { ...target, mode },
    prober: prober(family, easier),
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

/** What was asked for, with its dials and demonstrations; else what the model knows, with the dials that it declares. */
async function familyFor(model: Model, { family: name, set, shots }: FolderOptions, families: RunParts['families']) {
  const usual = await openRecipeFamily(undefined, model, { families, folder: '.' });
  const plain = set === undefined && (name ?? usual.name) === usual.name;
  const family = plain ? usual : await openProblems(name ?? usual.name, set, undefined, families);
  const shown = shots === undefined ? family : withShots(family, shots);
  return { family: shown, easier: easierWays(shown, name ?? usual.name, families) };
}
