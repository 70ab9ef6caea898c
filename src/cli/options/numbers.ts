import { InvalidArgumentError } from 'commander';

/** @file The one reading of numbers among the options. */

/** More problems than anybody waits for, and few enough for memory. */
export const MOST_PROBLEMS = 1_000_000;

/** Reads a whole number from `from` to `to`, both ends included. */
export function wholeNumber(from = 0, to = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= from && number <= to) return number;
    throw new InvalidArgumentError(`It must be a whole number ${rangeText(from, to)}.`);
  };
}

function rangeText(from: number, to: number): string {
  return to === Number.MAX_SAFE_INTEGER ? `of at least ${from}` : `from ${from} to ${to}`;
}

/** Reads a number above 0 and at most `most`, such as 0.05. */
export function positiveNumber(most = Number.MAX_VALUE): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d*\.?\d+(e[+-]?\d+)?$/i.test(text) && number > 0 && number <= most) return number;
    throw new InvalidArgumentError(
      `It must be a number above 0${most < Number.MAX_VALUE ? ` and at most ${most}` : ''}.`,
    );
  };
}
