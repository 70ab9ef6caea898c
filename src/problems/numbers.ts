import { numeralsIn } from './answers/numerals.ts';
import { spell, toNumber } from './answers/rational.ts';

/** The numbers in a plain text, in order; NaN where what stands beside one makes it another number ("5k", "5²"). */
export function numbersIn(text: string): number[] {
  return numeralsIn(text).map(({ value }) => (value === undefined ? Number.NaN : toNumber(value)));
}

/**
 * The numbers that a statement gives as its result, each in one spelling: of an equation what stands behind the last `=`.
 * None where one of them cannot be read for certain.
 */
export function resultsIn(statement: string): string[] {
  const result = statement.slice(statement.lastIndexOf('=') + 1);
  if (FORMULA.test(result)) return [];
  const values = numeralsIn(result).map(({ value }) => value);
  return values.flatMap((value) => (value === undefined || values.includes(undefined) ? [] : [spell(value)]));
}

/** What is left of LaTeX in a plain text is a formula, whose numbers are not its value. */
const FORMULA = /\\[a-zA-Z]|[\^√]/;

/** 1,440 as 1440. */
export const withoutCommas = (text: string): string => text.replaceAll(/(?<=\d),(?=\d{3}(?!\d))/g, '');

/** A number as a summand: negative ones in brackets. */
export const summand = (number: number): string => (number < 0 ? `(${number})` : String(number));
