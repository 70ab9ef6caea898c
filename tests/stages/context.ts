import { resolve } from 'node:path';
import { parts } from '../../src/cli/parts.ts';
import type { FamilyChoice } from '../../src/recipe/family-choice.ts';
import { openRecipeFamily, runSizes, trainingSide } from '../../src/recipe/open-family.ts';
import type { Model } from '../../src/recipe/run-parts.ts';
import type { StageContext } from '../../src/stages/stage.ts';

export type Metrics = Readonly<Record<string, number>>;

/** What a stage sees of a run, without the run: metrics are kept, values remembered in memory. */
export async function stageContext(
  model: Model,
  { family, seed = 1 }: { family?: FamilyChoice; seed?: number } = {},
): Promise<StageContext & { readonly history: readonly Metrics[] }> {
  const opened = await openRecipeFamily(family, model, { families: parts.families, folder: '.' });
  const history: Metrics[] = [];
  const kept = new Map<string, unknown>();
  return {
    ...model,
    can: () => true,
    family: trainingSide(opened),
    sizes: runSizes(opened, model),
    file: (path) => resolve(path),
    seed,
    firstStep: 0,
    history,
    step: async (_step, _total, metrics) => {
      history.push(metrics);
    },
    remember: async (name, value) => {
      kept.set(name, value);
    },
    recall: async (name, schema) => (kept.has(name) ? schema.parse(kept.get(name)) : undefined),
    doing: () => {},
  };
}

export const openModel = (folder: string): Promise<Model> => parts.openModel(folder, { fresh: false, seed: 1 });
