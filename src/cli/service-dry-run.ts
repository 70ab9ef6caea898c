import { stringify } from 'yaml';
import { type Price, priceOf, readPrices } from '../engine/endpoint/prices.ts';
import { InputError } from '../errors.ts';
import { type CostLine, recipeCost } from '../recipe/cost.ts';
import type { Recipe } from '../recipe/load-recipe.ts';
import { openRecipeFamily, runSizes } from '../recipe/open-family.ts';
import type { RunParts } from '../recipe/run-parts.ts';
import { formatCount } from '../report/format.ts';
import { printTable } from '../report/print-table.ts';
import { EXIT } from './exit.ts';
import type { ServiceOptions } from './options/engine-options.ts';
import { print } from './print.ts';

/** Prints what would be asked of a service, and what it costs by a price table; asks nothing of it. */
export async function serviceDryRun(recipe: Recipe, parts: RunParts, service: ServiceOptions): Promise<number> {
  const price = await priceIn(service);
  const text = await parts.openText(recipe.model);
  const family = await openRecipeFamily(recipe.family, text, { families: parts.families, folder: recipe.folder });
  const lines = recipeCost(recipe, parts.prober(family), runSizes(family, text));
  print(`${stringify(recipe.resolved)}\n${bill([...lines, totalOf(lines)], price)}\n${note(price)}\n`);
  return EXIT.ok;
}

async function priceIn({ prices, baseModel }: ServiceOptions): Promise<Price | undefined> {
  if (prices === undefined) return undefined;
  const price = priceOf(await readPrices(prices), baseModel);
  if (price?.train !== undefined) return price;
  throw new InputError(`${prices}: has no price for training ${baseModel}; add one with input, output and train`);
}

function totalOf(lines: readonly CostLine[]): CostLine {
  const sum = (key: keyof CostLine['cost']) => lines.reduce((all, { cost }) => all + cost[key], 0);
  return {
    what: 'total',
    cost: { steps: sum('steps'), trainedTokens: sum('trainedTokens'), sampledTokens: sum('sampledTokens') },
  };
}

function bill(lines: readonly CostLine[], price: Price | undefined): string {
  const heads = ['', 'steps', 'trained tokens', 'sampled tokens', ...(price ? ['USD'] : [])];
  const table = printTable(heads, [1, 2, 3, 4]);
  for (const { what, cost } of lines) {
    const counts = [cost.steps, cost.trainedTokens, cost.sampledTokens].map((count) => formatCount(Math.round(count)));
    table.push([what, ...counts, ...(price ? [dollars(cost, price).toFixed(2)] : [])]);
  }
  return String(table);
}

function dollars({ trainedTokens, sampledTokens }: CostLine['cost'], { output, train = 0 }: Price): number {
  return (trainedTokens * train + sampledTokens * output) / 1e6;
}

function note(price: Price | undefined): string {
  const counted = 'prompts, and texts whose logprobs are asked for, are not counted';
  return price ? counted : `${counted}; add --prices FILE for dollars`;
}
