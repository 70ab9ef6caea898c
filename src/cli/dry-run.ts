import { stringify } from 'yaml';
import { type CostLine, measureRates, minutes, type Rates, recipeCost } from '../recipe/cost.ts';
import type { Recipe } from '../recipe/load-recipe.ts';
import { openRecipeFamily, runSizes } from '../recipe/open-family.ts';
import type { Model, RunParts } from '../recipe/run-parts.ts';
import { formatCount } from '../report/format.ts';
import { printTable } from '../report/print-table.ts';
import { EXIT } from './exit.ts';
import { print } from './print.ts';

/** Prints what would be run and what it would cost on this machine; trains nothing and writes nothing. */
export async function dryRun(recipe: Recipe, parts: RunParts): Promise<number> {
  const model = await parts.openModel(recipe.model, recipe);
  try {
    const family = await openRecipeFamily(recipe.family, model, { families: parts.families, folder: recipe.folder });
    const lines = recipeCost(recipe, parts.prober(family), runSizes(family, model));
    const rates = await measureRates(model);
    print(`${stringify(recipe.resolved)}\n${bill(lines, rates)}\n${size(model)}\n`);
    return EXIT.ok;
  } finally {
    await model.policy.close();
  }
}

function bill(lines: readonly CostLine[], rates: Rates): string {
  const table = printTable(['', 'steps', 'trained tokens', 'sampled tokens', 'minutes'], [1, 2, 3, 4]);
  const total = { steps: 0, trainedTokens: 0, sampledTokens: 0 };
  for (const { what, cost } of lines) {
    table.push(cells(what, cost, rates));
    total.steps += cost.steps;
    total.trainedTokens += cost.trainedTokens;
    total.sampledTokens += cost.sampledTokens;
  }
  table.push(cells('total', total, rates));
  const { trained, sampled } = rates;
  return `${table}\nat ${formatCount(Math.round(trained))} trained and ${formatCount(Math.round(sampled))} sampled tokens/s, measured now`;
}

function size({ parameters, adapter }: Model): string {
  return `trains ${formatCount(adapter?.parameters ?? parameters)} numbers of a model of ${formatCount(parameters)}`;
}

function cells(what: string, cost: CostLine['cost'], rates: Rates): string[] {
  const numbers = [cost.steps, cost.trainedTokens, cost.sampledTokens].map((count) => formatCount(Math.round(count)));
  return [what, ...numbers, minutes(cost, rates).toFixed(1)];
}
