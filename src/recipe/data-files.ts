import { resolve } from 'node:path';
import type { Recipe } from './load-recipe.ts';

/** The options that name a file of the user's. */
const NAMING = new Set(['file', 'prompts']);

/** The files of problems, chats and prompts that a recipe names, as absolute paths. */
export function dataFiles({ resolved, folder }: Pick<Recipe, 'resolved' | 'folder'>): string[] {
  const { family } = resolved;
  const own = typeof family === 'string' && family.endsWith('.jsonl') ? [family] : [];
  return [...own, ...named(resolved)].map((path) => resolve(folder, path));
}

function named(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => {
    return typeof one === 'string' && NAMING.has(key) ? [one] : named(one);
  });
}
