import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { writeWhole } from '../disk/write.ts';
import { RunError } from '../errors.ts';

/** `run.yaml`: what is run, on what, with what. Written once, before anything else. */
export const runCardSchema = z.strictObject({
  schema: z.literal('unrut.run/1'),
  name: z.string(),
  seed: z.int(),
  started: z.iso.datetime(),
  machine: z.string(),
  versions: z.record(z.string(), z.string()),
  /** Absolute path of the model folder. */
  model: z.string(),
  /** Over the names and contents of its files. */
  model_sha256: z.string(),
  /** Of the resolved recipe below, as JSON, and of the contents of the files that it names. */
  recipe_sha256: z.string(),
  /** The recipe with every default and override filled in. */
  recipe: z.json(),
  /** The overrides among it, as they were given: `stages.verify.off=true`. */
  overrides: z.array(z.string()).optional(),
});
export type RunCard = z.infer<typeof runCardSchema>;

/** @throws RunError when the file is not a run card. */
export async function readRunCard(path: string): Promise<RunCard> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new RunError(`${path}: not found; give the folder of a run`);
  });
  try {
    return runCardSchema.parse(parse(text));
  } catch {
    throw new RunError(`${path}: not a run card of this version of unrut; restore it or start again in another folder`);
  }
}

export async function writeRunCard(path: string, card: RunCard): Promise<void> {
  await writeWhole(path, stringify(card));
}

/** @throws RunError naming the first thing in which the run in the folder differs from what is to be resumed. */
export function refuseOtherRun(path: string, begun: RunCard, now: RunCard): void {
  const difference = firstDifference(begun.recipe, now.recipe, 'recipe');
  if (difference) {
    throw new RunError(`${path}: the run was begun with ${difference}; resume with the same recipe and options`);
  }
  if (begun.model_sha256 !== now.model_sha256) {
    throw new RunError(`${now.model}: the model has changed since the run in ${path} began; restore it or start again`);
  }
}

/** `recipe.stages.2.steps 100, not 200`; undefined where the two are equal. */
function firstDifference(begun: unknown, now: unknown, at: string): string | undefined {
  if (typeof begun !== 'object' || typeof now !== 'object' || !begun || !now) {
    return begun === now ? undefined : `${at} ${JSON.stringify(begun)}, not ${JSON.stringify(now)}`;
  }
  const sides = [begun, now] as [Record<string, unknown>, Record<string, unknown>]; // both are objects
  const keys = [...new Set(sides.flatMap(Object.keys))];
  const differences = keys.map((key) => firstDifference(sides[0][key], sides[1][key], `${at}.${key}`));
  return differences.find(Boolean);
}
