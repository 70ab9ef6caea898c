import { InputError } from '../errors.ts';
import { stream } from '../random.ts';
import { bootstrapInterval } from './bootstrap.ts';
import type { Interval } from './interval.ts';
import { byProblem, counted, drawnRate, meanDenominator, type Outcome, type Ratio, rate } from './outcome.ts';
import { wilsonInterval } from './wilson.ts';

/** A rate with its confidence interval; `n` counts problems. */
export type Estimate = { readonly value: number; readonly low: number; readonly high: number; readonly n: number };

export type EstimateOptions = {
  readonly seed: number;
  /** The values the rate can take: `[0, 1]` for a share, `[-1, 1]` for a difference of shares; absent if unbounded. */
  readonly range?: readonly [number, number] | undefined;
  /** 0.95 by default. */
  readonly confidence?: number;
  /** 2000 by default. */
  readonly resamples?: number;
};

/** How {@link estimate} makes its interval, for captions. */
export const estimateName =
  'shares: Wilson, with clusters counted as fewer trials; else percentile bootstrap by problem';

/**
 * A rate over problems. Shares that count yes/no get Wilson's interval; all else the bootstrap, which draws whole problems.
 *
 * A bootstrap of 400 problems that all went well has no width. So a bounded rate is drawn together with one made-up
 * problem at each end of its range, as Bonett & Price 2012 (J. Educ. Behav. Stat. 37:479) do for paired shares; the value
 * stays the plain rate. In simulation this covers 94-98 % at n = 100 and 400 where plain percentile and BCa intervals
 * fall to 27 % near the ends; BCa is no better than percentile in the middle.
 * @throws InputError where nothing was counted.
 */
export function estimate(outcomes: readonly Outcome[], options: EstimateOptions): Estimate {
  const ratios = [...byProblem(outcomes).values()].filter(counted);
  const value = rate(ratios);
  if (!Number.isFinite(value)) throw new InputError('estimate: no outcome counts (all denominators are 0)');
  const { low, high } = isCountedShare(ratios)
    ? wilsonInterval(value, effectiveTrials(ratios, value), options.confidence)
    : bootstrapRate(ratios, options);
  return { value, low: Math.min(low, value), high: Math.max(high, value), n: ratios.length };
}

function isCountedShare(ratios: readonly Ratio[]): boolean {
  return ratios.every(
    ({ numerator, denominator }) =>
      Number.isInteger(numerator) && Number.isInteger(denominator) && numerator >= 0 && numerator <= denominator,
  );
}

/**
 * Trials of one problem go together, so they count as fewer: trials / design effect, the effect being the variance of the
 * ratio of sums over problems against that of independent trials (Kish 1965; Korn & Graubard 1998). Where all trials
 * agree the effect cannot be seen, and a problem counts once.
 */
function effectiveTrials(ratios: readonly Ratio[], value: number): number {
  const trials = ratios.reduce((sum, ratio) => sum + ratio.denominator, 0);
  if (value === 0 || value === 1 || ratios.length === 1) return ratios.length;
  const residuals = ratios.reduce((sum, { numerator, denominator }) => sum + (numerator - value * denominator) ** 2, 0);
  const variance = (residuals * ratios.length) / ((ratios.length - 1) * trials ** 2);
  return Math.min(trials, (value * (1 - value)) / variance);
}

function bootstrapRate(ratios: readonly Ratio[], options: EstimateOptions): Interval {
  const { seed, range, confidence = 0.95, resamples = 2000 } = options;
  const drawn = range ? [...ratios, ...ends(ratios, range)] : ratios;
  const statistic = (counts: Uint32Array) => drawnRate(drawn, counts);
  return bootstrapInterval(drawn.length, statistic, { stream: stream(seed, 'bootstrap'), confidence, resamples });
}

/** One made-up problem of mean weight at each end of the range. */
function ends(ratios: readonly Ratio[], range: readonly [number, number]): Ratio[] {
  const denominator = meanDenominator(ratios);
  return range.map((end) => ({ numerator: end * denominator, denominator }));
}
