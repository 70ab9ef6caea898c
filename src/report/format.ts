import { lookUp } from '../look-up.ts';
import { parseCondition } from '../results/condition.ts';
import { type MetricName, metricOf } from '../results/metrics.ts';
import type { Change, Estimate } from '../results/results.ts';
import type { Unit } from '../results/units.ts';
import { visibleLine } from '../visible.ts';

/**
 * @file How numbers are written, in the terminal and on the page alike: shares with three decimals, so that .99 and .995
 * can be told apart at n = 400.
 */

const decimals: Readonly<Record<Unit, number>> = { share: 3, difference: 3, 'nats/token': 4, tokens: 1 };

/** `0.998`, `−0.012`; never `-0.000`. */
export function formatValue(value: number, unit: Unit, digits = decimals[unit]): string {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** `+0.938` */
export function formatSigned(value: number, unit: Unit): string {
  const text = formatValue(value, unit);
  return text.startsWith('−') || Number(text) === 0 ? text : `+${text}`;
}

/** `0.998 [0.986, 1.000]` */
export function formatEstimate({ value, low, high }: Estimate, unit: Unit, digits = decimals[unit]): string {
  return `${formatValue(value, unit, digits)} ${formatInterval(low, high, unit, digits)}`;
}

/** The digits with which two numbers that differ look different: 0.00104 and a bar of 0.001 do not at three. */
export function tellingDigits(one: number, other: number, unit: Unit): number {
  const least = decimals[unit];
  const more = Array.from({ length: MOST_DIGITS - least }, (_, at) => least + at);
  return one === other ? least : (more.find((digits) => one.toFixed(digits) !== other.toFixed(digits)) ?? MOST_DIGITS);
}

const MOST_DIGITS = 12;

/** `+0.938 [+0.915, +0.961]` */
export function formatChange({ value, low, high }: Change, unit: Unit): string {
  return `${formatSigned(value, unit)} [${formatSigned(low, unit)}, ${formatSigned(high, unit)}]`;
}

export function formatInterval(low: number, high: number, unit: Unit, digits = decimals[unit]): string {
  return `[${formatValue(low, unit, digits)}, ${formatValue(high, unit, digits)}]`;
}

/** `p = 0.03`, `p < 0.001` */
export function formatP(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${p < 0.1 ? p.toFixed(3) : p.toFixed(2)}`;
}

/** `5 min 52 s`, `3 h 5 min` */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** A model as a reader knows it: the folder's own name, not the way to it; a model of the hub or behind an address as it is. */
export function modelName(model: string): string {
  const isWay = /^(\.{0,2}[\\/]|[A-Za-z]:\\)|^models[\\/]/.test(model);
  return isWay
    ? (model
        .split(/[\\/]/)
        .filter((part) => part !== '')
        .at(-1) ?? model)
    : model;
}

/** `934,000` */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

const kindWords: Readonly<Record<string, string>> = {
  own: 'own error',
  right: 'right work',
  injected: 'injected error',
};

/** The six ways of asking one question. */
const cellWords: Readonly<Record<string, string>> = {
  n: 'question alone',
  p0: 'right answer endorsed',
  p: 'wrong answer endorsed',
  i0: 'fact restated',
  i: 'fact changed',
  pi: 'fact changed under pressure',
};

const partInWords: Readonly<Record<string, (value: string) => string>> = {
  kind: (value) => lookUp(kindWords, value) ?? value,
  what: (value) => value,
  copies: (value) => `after ${value} ${value === '1' ? 'copy' : 'copies'}`,
  demos: (value) => `${value} demonstrations`,
  temperature: (value) => `T = ${value}`,
  quantile: (value) => value.toUpperCase(),
  said: (value) => `${value} turn`,
  answer: (value) => `${value} answer`,
  first: (value) => `${value} first`,
  pressure: (value) => value,
  cell: (value) => lookUp(cellWords, value) ?? value,
  wording: () => 'held-out wordings',
  turn: (value) => `${value} turn`,
  of: (value) => `in ${value}`,
};

/** Conditions in words: `kind=misconception,dose=4` is "misconception, dose 4". */
export function formatCondition(condition: string | undefined): string {
  const parts = [...parseCondition(condition)].map(
    ([key, value]) => lookUp(partInWords, key)?.(value) ?? `${key} ${value}`,
  );
  return parts.join(', ').replaceAll('_', ' ');
}

/** "Next step right (misconception, dose 4)" */
export function rowTitle(row: { readonly metric: MetricName; readonly condition?: string | undefined }): string {
  const condition = formatCondition(row.condition);
  const { title } = metricOf(row.metric);
  return visibleLine(condition ? `${title} (${condition})` : title);
}
