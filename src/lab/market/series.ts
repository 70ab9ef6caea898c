import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { InputError } from '../../errors.ts';
import type { Stream } from '../../random.ts';
import { stream } from '../../random.ts';

/** Daily logarithmic returns in the order of time. */
export type Returns = { readonly name: string; readonly values: readonly number[] };

/** Fewer days say nothing of a hundredth of a bit. */
const FEWEST = 300;

/**
 * Reads a series: `generated` is a GARCH(1,1) with jumps, `sp500` comes with the npm package vega-datasets, everything else is
 * a CSV file with a header, of which the last numeric column is taken as prices.
 * @throws InputError where there is no such file or too little in it.
 */
export function readReturns(name: string, days: number, seed: number): Returns {
  if (name === 'generated') return { name, values: garch(days, stream(seed, 'garch')) };
  const prices = pricesIn(name, name === 'sp500' ? packageText() : textOf(name));
  const values = prices.slice(1).map((price, at) => Math.log(price / (prices[at] ?? price)));
  if (values.length >= FEWEST) return { name, values };
  throw new InputError(`${name}: ${values.length} returns; at least ${FEWEST} are needed`);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new InputError(`series ${path}: no such file; or one of generated, sp500`);
  }
}

function packageText(): string {
  try {
    return readFileSync(createRequire(import.meta.url).resolve('vega-datasets/data/sp500-2000.csv'), 'utf8');
  } catch {
    throw new InputError('series sp500: its package is not installed; npm install vega-datasets');
  }
}

/** The column called close, or the last one that holds positive numbers throughout. */
export function pricesIn(name: string, csv: string): number[] {
  const [head = '', ...lines] = csv.trim().split(/\r?\n/);
  const names = head.split(',').map((cell) => cell.trim().toLowerCase());
  const columns = names.map((_, at) => lines.map((line) => Number(line.split(',')[at])));
  const usable = columns.filter((column) => column.every((value) => Number.isFinite(value) && value > 0));
  const chosen = columns[names.indexOf('close')] ?? usable.at(-1);
  if (chosen?.every((value) => value > 0)) return chosen;
  throw new InputError(
    `${name}: no column of positive numbers; a CSV file with a header and a column "close" is needed`,
  );
}

/** Volatility comes in clusters, direction is a coin: sigma^2 = omega + alpha r^2 + beta sigma^2, with a jump now and then. */
function garch(days: number, draws: Stream): number[] {
  const [omega, alpha, beta] = [2e-6, 0.1, 0.88];
  let variance = omega / (1 - alpha - beta);
  return Array.from({ length: days }, () => {
    const jump = draws.chance(0.003) ? 4 : 1;
    const value = Math.sqrt(variance) * jump * normal(draws);
    variance = omega + alpha * value * value + beta * variance;
    return value;
  });
}

/** Box-Muller. */
export function normal(draws: Stream): number {
  return Math.sqrt(-2 * Math.log(1 - draws.uniform())) * Math.cos(2 * Math.PI * draws.uniform());
}

/** The same series with x_t + phi x_(t-1) planted into its direction: what a predictor has to find. */
export function withMomentum({ name, values }: Returns, phi: number): Returns {
  let last = 0;
  const planted = values.map((value) => {
    last = value + phi * last;
    return last;
  });
  return { name: `${name}, momentum ${phi} planted`, values: planted };
}

/** The same days in another order: nothing is left to be predicted. */
export function shuffledReturns({ name, values }: Returns, seed: number): Returns {
  return { name: `${name}, shuffled`, values: stream(seed, 'shuffled returns').shuffle(values) };
}
