import { holm } from '../stats/holm.ts';
import type { Comparison, Finding } from './lab-finding.ts';

export const verdicts = ['supported', 'not supported', 'inconclusive'] as const;
export type Verdict = (typeof verdicts)[number];

/** The family-wise error of an experiment's primary comparisons. */
const FAMILY_ERROR = 0.05;

/**
 * Read from the intervals: supported where every comparison lies on the expected side of its threshold, not supported where
 * one lies wholly on the other side, else inconclusive at this budget. With several comparisons that have a p value, one
 * counts only where Holm leaves it below .05. A negative control that failed makes any outcome inconclusive.
 */
export function verdictOf({ comparisons, controls }: Pick<Finding, 'comparisons' | 'controls'>): Verdict {
  if (controls.some(({ held }) => !held)) return 'inconclusive';
  const sides = sidesOf(comparisons);
  if (sides.includes('other')) return 'not supported';
  return sides.every((side) => side === 'expected') ? 'supported' : 'inconclusive';
}

type Side = 'expected' | 'other' | 'open';

function sidesOf(comparisons: readonly Comparison[]): Side[] {
  const adjusted = holm(comparisons.map(({ p }) => p ?? 0));
  return comparisons.map((comparison, index) => {
    const surviving = comparison.p === undefined || (adjusted[index] ?? 1) <= FAMILY_ERROR;
    return surviving ? sideOf(comparison) : 'open';
  });
}

/** Where the whole interval lies. */
export function sideOf({ low, high, expected, threshold }: Comparison): Side {
  if (low > threshold) return expected === 'above' ? 'expected' : 'other';
  if (high < threshold) return expected === 'below' ? 'expected' : 'other';
  return 'open';
}

/** The one line that an experiment ends with. */
export function verdictLine(verdict: Verdict, headline: string): string {
  const words = {
    supported: 'SUPPORTED',
    'not supported': 'NOT SUPPORTED',
    inconclusive: 'INCONCLUSIVE AT THIS BUDGET',
  };
  return `${words[verdict]}: ${headline}`;
}
