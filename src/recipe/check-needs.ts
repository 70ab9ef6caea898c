import { type Ability, abilities } from '../engine/abilities.ts';
import { InputError } from '../errors.ts';
import type { Need } from '../stages/stage.ts';
import type { Recipe } from './load-recipe.ts';

/**
 * What the stages of a recipe do otherwise on an engine that lacks something, in sentences for the record.
 * @throws InputError naming the stage that cannot be run there at all: before anything is spent.
 */
export function checkNeeds(recipe: Pick<Recipe, 'stages'>, can: ReadonlySet<Ability> | undefined): string[] {
  if (can === undefined) return [];
  return recipe.stages.flatMap(({ name, off, stage }) => {
    return off ? [] : stage.needs.flatMap((need) => checkNeed(name, need, can));
  });
}

function checkNeed(stage: string, { abilities: wanted, what, instead }: Need, can: ReadonlySet<Ability>): string[] {
  const missing = wanted.filter((ability) => !can.has(ability)).map((ability) => abilities[ability]);
  if (missing.length === 0) return [];
  const lack = `stage ${stage}: ${what} needs ${missing.join(' and ')}, which this engine was not shown to have`;
  if (instead !== undefined) return [`${lack}: ${instead}`];
  throw new InputError(`${lack}; leave the stage out with --set stages.${stage}.off=true`);
}
