import { resolve } from 'node:path';
import { stringify } from 'yaml';
import { type Price, priceOf, readPrices } from '../engine/endpoint/prices.ts';
import { InputError } from '../errors.ts';
import { measureRates, minutes, recipeCost } from '../recipe/cost.ts';
import type { Recipe } from '../recipe/load-recipe.ts';
import { openRecipeFamily, runSizes } from '../recipe/open-family.ts';
import type { Model, RunParts } from '../recipe/run-parts.ts';
import { formatCount, formatSeconds } from '../report/format.ts';
import { type Bill, billJson, billLines } from './bill.ts';
import { EXIT } from './exit.ts';
import type { ServiceOptions } from './options/engine-options.ts';
import { print, printJson } from './print.ts';

export type DryRunOptions = {
  readonly json?: boolean;
  /** With the recipe as it would be carried out, every default filled in. */
  readonly resolved?: boolean;
};

/** `unrut run RECIPE --dry-run`: what a run would cost, on this machine or at a service; trains and writes nothing. */
export async function dryRun(
  recipe: Recipe,
  parts: RunParts,
  service: ServiceOptions | undefined,
  { json, resolved }: DryRunOptions,
): Promise<number> {
  const bill = service ? await serviceBill(recipe, parts, service) : await machineBill(recipe, parts);
  if (json) printJson({ kind: 'dry-run', ...billJson(bill), recipe: recipe.resolved });
  else {
    const yaml = resolved
      ? [`\n${stringify(recipe.resolved).trimEnd()}`]
      : ['--resolved prints the recipe with every default'];
    print(`${[headOf(recipe), ...billLines(bill), ...yaml].join('\n')}\n`);
  }
  return EXIT.ok;
}

/** `quickstart: 6 stages and 31 gates on ../models/organism, seed 1` */
function headOf({ name, stages, gates, model, seed }: Recipe): string {
  const carried = stages.filter(({ off }) => !off).length;
  return `${name}: ${carried} stages and ${gates.length} gates on ${model}, seed ${seed}`;
}

async function machineBill(recipe: Recipe, parts: RunParts): Promise<Bill> {
  const model = await parts.openModel(recipe.model, recipe);
  try {
    const family = await openRecipeFamily(recipe.family, model, { families: parts.families, folder: recipe.folder });
    const lines = recipeCost(recipe, parts.prober(family), runSizes(family, model));
    const rates = await measureRates(model);
    const { parameters, adapter } = model;
    const [trained, sampled] = [rates.trained, rates.sampled].map((rate) => formatCount(Math.round(rate)));
    return {
      lines,
      price: { unit: 'minutes', digits: 1, of: (cost) => minutes(cost, rates) },
      answer: (total) => `about ${formatSeconds(total * 60)} on this machine`,
      notes: [
        `at ${trained} trained and ${sampled} sampled tokens/s, measured now`,
        `trains ${formatCount(adapter?.parameters ?? parameters)} numbers of a model of ${formatCount(parameters)}`,
        ...(await previews(recipe, model)),
      ],
    };
  } finally {
    await model.policy.close();
  }
}

/** A sample of what each stage trains on, where it shows one. */
async function previews({ stages, folder }: Recipe, { format }: Pick<Model, 'format'>): Promise<string[]> {
  const file = (path: string) => resolve(folder, path);
  const shown = stages.filter(({ off, stage }) => !off && stage.preview !== undefined);
  return Promise.all(
    shown.map(
      async ({ name, stage }) => `${name} learns what stands in ⟦⟧:\n${await stage.preview?.({ format, file })}`,
    ),
  );
}

/** Asks nothing of the service. */
async function serviceBill(recipe: Recipe, parts: RunParts, service: ServiceOptions): Promise<Bill> {
  const price = await priceIn(service);
  const text = await parts.openText(recipe.model);
  const family = await openRecipeFamily(recipe.family, text, { families: parts.families, folder: recipe.folder });
  const lines = recipeCost(recipe, parts.prober(family), runSizes(family, text));
  const counted = 'prompts, and texts whose logprobs are asked for, are not counted';
  if (price === undefined) return { lines, notes: [`${counted}; add --prices FILE for dollars`] };
  const { output, train = 0 } = price;
  const dollars = { unit: 'USD', digits: 2 } as const;
  return {
    lines,
    price: {
      ...dollars,
      of: ({ trainedTokens, sampledTokens }) => (trainedTokens * train + sampledTokens * output) / 1e6,
    },
    answer: (total) => `about ${total.toFixed(2)} USD`,
    notes: [counted],
  };
}

async function priceIn({ prices, baseModel }: ServiceOptions): Promise<Price | undefined> {
  if (prices === undefined) return undefined;
  const price = priceOf(await readPrices(prices), baseModel);
  if (price?.train !== undefined) return price;
  throw new InputError(`${prices}: has no price for training ${baseModel}; add one with input, output and train`);
}
