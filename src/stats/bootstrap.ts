import type { Stream } from '../random.ts';
import type { Interval } from './interval.ts';
import { quantileOfSorted } from './quantile.ts';

export type BootstrapOptions = {
  readonly stream: Stream;
  readonly resamples: number;
  readonly confidence: number;
};

/**
 * The percentile interval of a statistic of whole problems (Efron & Tibshirani 1993, ch. 13), each drawn with
 * replacement. The statistic gets how often each problem was drawn, `[problems]`.
 */
export function bootstrapInterval(
  problems: number,
  statistic: (counts: Uint32Array) => number,
  { stream, resamples, confidence }: BootstrapOptions,
): Interval {
  const counts = new Uint32Array(problems);
  const values = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample++) {
    counts.fill(0);
    for (let draw = 0; draw < problems; draw++) counts[stream.integer(problems)]!++;
    values[resample] = statistic(counts);
  }
  return percentileInterval(values, confidence);
}

/** Draws in which the statistic is undefined (a denominator of zero) carry no information and are left out. */
function percentileInterval(values: Float64Array, confidence: number): Interval {
  const sorted = values.filter(Number.isFinite).sort();
  const tail = (1 - confidence) / 2;
  return { low: quantileOfSorted(sorted, tail), high: quantileOfSorted(sorted, 1 - tail) };
}
