import { existsSync, readdirSync } from 'node:fs';
import { join, parse } from 'node:path';
import { InputError } from '../errors.ts';
import { nearest } from '../recipe/nearest.ts';
import { packageRoot } from './package-root.ts';

/** The file of a recipe: a path, or the name of one that comes with the package (`quickstart`). */
export function findRecipe(recipe: string, shipped = join(packageRoot, 'recipes')): string {
  if (existsSync(recipe)) return recipe;
  const { name } = parse(recipe);
  const file = join(shipped, `${name}.yaml`);
  if ([name, `${name}.yaml`, `recipes/${name}.yaml`].includes(recipe) && existsSync(file)) return file;
  const known = existsSync(shipped) ? readdirSync(shipped).map((one) => parse(one).name) : [];
  throw new InputError(`${recipe}: no such recipe${nearest(name, known)}`);
}
