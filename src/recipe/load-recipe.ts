import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ZodError } from 'zod';
import { InputError } from '../errors.ts';
import type { ReadyStage, StageRegistry } from '../stages/stage.ts';
import { explainIssue } from './explain-issue.ts';
import { entryName, type Gate, type ResolvedRecipe, recipeSchema } from './recipe.ts';
import { RecipeSource } from './recipe-source.ts';

/** One entry of `stages`, ready to run. */
export type RecipeStage = {
  /** `as`, or the stage's name: what gates, checkpoints and events call it. */
  readonly name: string;
  readonly off: boolean;
  readonly stage: ReadyStage;
};

export type Recipe = Omit<ResolvedRecipe, 'stages'> & {
  /** Where relative paths start. */
  readonly folder: string;
  /** What was changed of the file, as `stages.verify.off=true`. */
  readonly overrides: readonly string[];
  readonly stages: readonly RecipeStage[];
  readonly gates: readonly Gate[];
  /** Every default filled in. */
  readonly resolved: ResolvedRecipe;
};

/**
 * Reads a recipe and puts `overrides` (`stages.verify.off=true`) in.
 * @throws InputError in one line, with file, line and column, for whatever does not fit.
 */
export async function loadRecipe(
  file: string,
  registry: StageRegistry,
  overrides: readonly string[] = [],
): Promise<Recipe> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`${file}: cannot be read (${error.code}); give the path of a recipe`);
  });
  const recipe = parseRecipe(file, decode(file, bytes), registry, overrides);
  return { ...recipe, folder: dirname(resolve(file)), model: resolve(dirname(file), recipe.model) };
}

/** As {@link loadRecipe}, from text; `file` names it in errors, and `model` stays as written. */
export function parseRecipe(
  file: string,
  text: string,
  registry: StageRegistry,
  overrides: readonly string[] = [],
): Recipe {
  const source = new RecipeSource(file, text);
  for (const override of overrides) source.override(override);
  const schema = recipeSchema(registry);
  const value = source.value();
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw refusal(parsed.error, (issue) => explainIssue(issue, source, schema, value));
  const stages = parsed.data.stages.map((entry, index) => {
    const { stage, as: _as, off, ...options } = entry;
    const explain = (issue: Issue) =>
      explainIssue({ ...issue, path: ['stages', index, ...issue.path] }, source, schema, value);
    const { ready } = registry.get(stage)!; // the schema knows no other stages
    return { name: entryName(entry), off, stage: explained(() => ready(options), explain) };
  });
  return { ...parsed.data, folder: '.', overrides, stages, resolved: parsed.data };
}

type Issue = ZodError['issues'][number];

/** Some rules only a stage can check, such as one option against another. */
function explained<T>(check: () => T, explain: (issue: Issue) => string): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof ZodError ? refusal(error, explain) : error;
  }
}

/** One fault at a time, a misspelt key first: it is why another one is missing. */
function refusal(error: ZodError, explain: (issue: Issue) => string): InputError {
  const first = error.issues.find(({ code }) => code === 'unrecognized_keys') ?? error.issues[0]!; // there is one
  const others = error.issues.length - 1;
  const more = others === 0 ? '' : ` (and ${others} more ${others === 1 ? 'fault' : 'faults'})`;
  return new InputError(explain(first) + more);
}

function decode(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`${file}: is not UTF-8 text; give a recipe in YAML`);
  }
}
