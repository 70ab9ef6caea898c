import { readFile } from 'node:fs/promises';
import { dataFiles } from '../recipe/data-files.ts';
import type { Recipe } from '../recipe/load-recipe.ts';
import type { RunParts } from '../recipe/run-parts.ts';
import { fingerprintFolder, sha256 } from '../record/fingerprint.ts';
import { type RunCard, runCardSchema } from '../record/run-card.ts';
import { allVersions, describeMachine } from './machine.ts';

/** What `run.yaml` says of a run that begins now on this machine. */
export async function makeRunCard(recipe: Recipe, parts: RunParts): Promise<RunCard> {
  return runCardSchema.parse({
    schema: 'unrut.run/1',
    name: recipe.name,
    seed: recipe.seed,
    started: new Date().toISOString(),
    machine: describeMachine(),
    versions: allVersions(parts),
    model: recipe.model,
    model_sha256: await fingerprintFolder(recipe.model),
    recipe_sha256: await sha256([JSON.stringify(recipe.resolved), ...(await contentsOf(recipe))].join('\n')),
    recipe: recipe.resolved,
    ...(recipe.overrides.length > 0 && { overrides: recipe.overrides }),
  });
}

/** Of the files that the recipe names; one that cannot be read is refused, with its reason, where it is used. */
function contentsOf(recipe: Recipe): Promise<string[]> {
  return Promise.all(dataFiles(recipe).map((path) => readFile(path, 'utf8').catch(() => '')));
}
