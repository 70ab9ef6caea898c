import { InputError } from '../errors.ts';
import { stream } from '../random.ts';
import { bootstrapInterval } from './bootstrap.ts';
import type { EstimateOptions } from './estimate.ts';
import type { Interval } from './interval.ts';
import { mcnemar, mcnemarMidP, mcnemarName } from './mcnemar.ts';
import { byProblem, counted, drawnRate, meanDenominator, nothing, type Outcome, type Ratio, rate } from './outcome.ts';
import { type Pair, randomisationTest } from './randomisation-test.ts';

/** After minus before with its interval, and a two-sided p value for "no change". */
export type Change = {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly p: number;
  /** McNemar's mid-p value, which rejects more often than the exact one; absent where the outcome is not yes/no. */
  readonly p_mid?: number;
};

/** How {@link change} tests, for captions. */
export const changeName = `${mcnemarName}; paired randomisation test where the outcome is not yes/no`;

/**
 * The change of a rate, paired by problem: a percentile bootstrap that draws problems whole, with both their sides, and
 * McNemar's test for yes/no outcomes, a randomisation test for others. A problem seen on one side only (an own error that
 * is not made any more) takes part with that side.
 * A bounded rate is drawn together with two made-up problems that flip, one each way; see `estimate.ts`.
 * @throws InputError where nothing was counted on one side.
 */
export function change(before: readonly Outcome[], after: readonly Outcome[], options: EstimateOptions): Change {
  const pairs = pair(before, after);
  const value = rateChange(pairs);
  if (!Number.isFinite(value)) throw new InputError('change: one side has no outcome that counts');
  const { low, high } = bootstrapChange(pairs, options);
  return { value, low: Math.min(low, value), high: Math.max(high, value), ...testChange(pairs, options) };
}

function pair(before: readonly Outcome[], after: readonly Outcome[]): Pair[] {
  const sides = [byProblem(before), byProblem(after)] as const;
  const problems = [...new Set([...sides[0].keys(), ...sides[1].keys()])];
  return problems
    .map((problem) => ({ before: sides[0].get(problem) ?? nothing, after: sides[1].get(problem) ?? nothing }))
    .filter((pair) => counted(pair.before) || counted(pair.after));
}

function rateChange(pairs: readonly Pair[]): number {
  return rate(pairs.map((pair) => pair.after)) - rate(pairs.map((pair) => pair.before));
}

function bootstrapChange(pairs: readonly Pair[], options: EstimateOptions): Interval {
  const { seed, range, confidence = 0.95, resamples = 2000 } = options;
  const drawn = range ? [...pairs, ...flips(pairs)] : pairs;
  const before = drawn.map((pair) => pair.before);
  const after = drawn.map((pair) => pair.after);
  const statistic = (counts: Uint32Array) => drawnRate(after, counts) - drawnRate(before, counts);
  return bootstrapInterval(drawn.length, statistic, { stream: stream(seed, 'bootstrap'), confidence, resamples });
}

/** Two made-up problems of mean weight: one goes from 0 to 1, one from 1 to 0. */
function flips(pairs: readonly Pair[]): Pair[] {
  const denominator = meanDenominator(pairs.flatMap((pair) => [pair.before, pair.after]));
  const none = { numerator: 0, denominator };
  const all = { numerator: denominator, denominator };
  return [
    { before: none, after: all },
    { before: all, after: none },
  ];
}

/** The smallest p is 1 / (draws + 1), and Holm multiplies it by the size of the family: more draws than for an interval. */
const DRAWS = 9999;

function testChange(
  pairs: readonly Pair[],
  { seed, resamples: draws = DRAWS }: EstimateOptions,
): Pick<Change, 'p' | 'p_mid'> {
  if (!pairs.every((pair) => isYesNo(pair.before) && isYesNo(pair.after))) {
    return { p: randomisationTest(pairs, stream(seed, 'randomisation'), draws) };
  }
  const gained = pairs.filter((pair) => pair.after.numerator > pair.before.numerator).length;
  const lost = pairs.filter((pair) => pair.after.numerator < pair.before.numerator).length;
  return { p: mcnemar(gained, lost), p_mid: mcnemarMidP(gained, lost) };
}

function isYesNo({ numerator, denominator }: Ratio): boolean {
  return denominator === 1 && (numerator === 0 || numerator === 1);
}
