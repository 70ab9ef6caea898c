import { dirname, resolve } from 'node:path';
import { checkFile } from '../disk/check-writable.ts';
import { InputError, Interrupted } from '../errors.ts';
import { loadRecipe, type Recipe } from '../recipe/load-recipe.ts';
import type { RunParts } from '../recipe/run-parts.ts';
import { runRecipe } from '../recipe/run-recipe.ts';
import { writeJunit } from '../record/junit.ts';
import { RunFolder } from '../record/run-folder.ts';
import { gateCases } from '../report/test-cases.ts';
import type { Results } from '../results/results.ts';
import { readResults } from '../results/results.ts';
import { openDisplay } from './display/open-display.ts';
import { dryRun } from './dry-run.ts';
import { partsOf } from './engine-parts.ts';
import { EXIT } from './exit.ts';
import { findModel } from './find-model.ts';
import { findRecipe } from './find-recipe.ts';
import { latestRunFolder, nextRunFolder } from './find-run.ts';
import { onInterrupt } from './interrupt.ts';
import { type EngineOptions, engineWords, serviceOf } from './options/engine-options.ts';
import { say } from './print.ts';
import { makeRunCard } from './run-card.ts';
import { keepAndPrint, writeReport } from './show-results.ts';

export type RunOptions = {
  readonly resume?: boolean;
  readonly out?: string;
  readonly dryRun?: boolean;
  readonly resolved?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly seed?: number;
  readonly set?: readonly string[];
  readonly junit?: string;
} & EngineOptions;

/** `unrut run RECIPE`: carries a recipe out, or goes on with a run that was stopped. */
export async function run(name: string, options: RunOptions, localParts: RunParts): Promise<number> {
  const file = findRecipe(name);
  const service = serviceOf(options);
  const recipe = await withModel(file, await readRecipe(file, options, localParts), options);
  const parts = await partsOf(service, localParts);
  if (options.resolved && !options.dryRun) throw new InputError('--resolved is for --dry-run; add it');
  if (options.dryRun) return dryRun(recipe, parts, service, options);
  if (options.junit !== undefined) await checkFile(options.junit, '--junit');
  const folder = await openFolder(recipe, options, parts);
  try {
    const results = await runOrRead(recipe, folder, options, parts);
    return await keepAndPrint(results, options, async () => {
      const { run, gates, seconds } = results;
      const files = await writeReport(folder.path, results);
      if (options.junit !== undefined) await writeJunit(options.junit, run.name, gateCases(gates), seconds.total);
      return files;
    });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    await folder.journal.append({ kind: 'run-interrupted' });
    say(`unrut: interrupted, everything is saved; go on with\n  ${resumeCommand(name, folder.path, options)}`);
    return EXIT.interrupted;
  } finally {
    await folder.close();
  }
}

/** A service trains adapters only: a recipe that says nothing of them gets one by the defaults. */
async function readRecipe(file: string, options: RunOptions, { stages }: RunParts): Promise<Recipe> {
  const seed = options.seed === undefined ? [] : [`seed=${options.seed}`];
  const overrides = [...(options.set ?? []), ...seed];
  const recipe = await loadRecipe(file, stages, overrides);
  if (options.engine !== 'tinker' || recipe.lora !== undefined) return recipe;
  return loadRecipe(file, stages, ['lora={}', ...overrides]);
}

/** The folder of its model, which a path in it names from the recipe's own folder on; a model of the hub is fetched. */
async function withModel(file: string, recipe: Recipe, options: RunOptions): Promise<Recipe> {
  const { folder, name } = await findModel(recipe.resolved.model, { ...options, base: dirname(file) });
  return { ...recipe, model: resolve(folder), resolved: { ...recipe.resolved, model: name } };
}

async function openFolder(recipe: Recipe, options: RunOptions, parts: RunParts): Promise<RunFolder> {
  const card = await makeRunCard(recipe, parts);
  if (!options.resume) return RunFolder.create(options.out ?? nextRunFolder(recipe.name), card);
  const folder = await RunFolder.resume(
    options.out ?? latestRunFolder(recipe.name) ?? nextRunFolder(recipe.name),
    card,
  );
  if (folder.journal.events.length === 0) say(`unrut: ${folder.path}: nothing to resume, starts anew`);
  return folder;
}

/** A run that is finished is not run again: it is shown. */
async function runOrRead(recipe: Recipe, folder: RunFolder, options: RunOptions, parts: RunParts): Promise<Results> {
  if (folder.journal.events.some((event) => event.kind === 'run-finished'))
    return readResults(`${folder.path}/results.json`);
  const display = openDisplay(options);
  const interrupt = onInterrupt();
  try {
    return await runRecipe(recipe, { folder, parts, watch: display, signal: interrupt.signal });
  } finally {
    interrupt.dispose();
    display.close();
  }
}

function resumeCommand(name: string, folder: string, options: RunOptions): string {
  const { seed, set = [] } = options;
  const overrides = [
    ...set.flatMap((one) => ['--set', one]),
    ...(seed === undefined ? [] : ['--seed', String(seed)]),
    ...engineWords(serviceOf(options)),
  ];
  return ['unrut', 'run', name, '--resume', '--out', folder, ...overrides].map(quoted).join(' ');
}

/** As a POSIX shell takes it. */
function quoted(word: string): string {
  return /^[\w./=,:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
