/** @file From the outcomes of a row to its interval. */

import { type Estimate, type EstimateOptions, estimate } from '../stats/estimate.ts';
import { type MetricName, metricOf } from './metrics.ts';
import type { Outcome, ProbeRow } from './probe-report.ts';
import { unitRange } from './units.ts';

/** How an interval of this metric is made: seeded, so that a run judges the same way twice. */
export function estimateOptions(metric: MetricName): EstimateOptions {
  return { seed: 1, range: unitRange[metricOf(metric).unit] };
}

/** Undefined where there was nothing to count: no own error was made, say. */
export function estimateRow(row: ProbeRow): Estimate | undefined {
  return counts(row.outcomes) ? estimate(row.outcomes, estimateOptions(row.metric)) : undefined;
}

export function counts(outcomes: readonly Outcome[]): boolean {
  return outcomes.some((outcome) => outcome.denominator !== 0);
}
