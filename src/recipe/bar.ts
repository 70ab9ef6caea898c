import { z } from 'zod';
import { conditionPattern } from '../results/condition.ts';

/**
 * What a metric is held against: a number, or a reference and an amount. The reference is `before` (the same row of the
 * model before the recipe) or another condition of the same metric (`copies=1`).
 */
export type Bar = number | { readonly reference: string; readonly operator: '*' | '+' | '-'; readonly amount: number };

const PATTERN = /^(?<reference>before|[a-z_]+=[^\s*+-]+)(?:\s*(?<operator>[*+-])\s*(?<amount>\d+(?:\.\d+)?))?$/;

/** In a recipe: `0.95`, `before`, `before * 1.01`, `before - 0.02`, `copies=1`. */
export const barSchema = z.union([z.number(), z.string().refine((text) => parseBar(text) !== undefined)], {
  error: 'must be a number, or like "before", "before * 1.01", "before - 0.02", "copies=1"',
});

/** Undefined for what is no bar. */
export function parseBar(text: number | string): Bar | undefined {
  if (typeof text === 'number') return text;
  const groups = PATTERN.exec(text)?.groups;
  if (!groups || (groups.reference !== 'before' && !conditionPattern.test(groups.reference!))) return undefined;
  const operator = (groups.operator ?? '+') as '*' | '+' | '-'; // the pattern has no others
  return { reference: groups.reference!, operator, amount: Number(groups.amount ?? 0) };
}

/** The bar in the metric's unit, given the reference's value. */
export function barValue(bar: Exclude<Bar, number>, reference: number): number {
  if (bar.operator === '*') return reference * bar.amount;
  return bar.operator === '+' ? reference + bar.amount : reference - bar.amount;
}
