import { mean } from './mean.ts';
import { quantile } from './quantile.ts';

/** How good a model is on average, at its best and at its worst, over repeated runs of the same problems. */
export type Reliability = {
  /** Mean score, P. */
  readonly performance: number;
  /** A90: a problem's 90th percentile over its runs, averaged over problems. */
  readonly aptitude: number;
  /** A10, the same at the 10th percentile. */
  readonly worst: number;
  /** U = A90 - A10. */
  readonly unreliability: number;
};

/**
 * P, A90, A10 and U of `scores` `[problem][run]`, as Laban et al. 2025 (arXiv 2505.06120) define them.
 * @throws InputError without problems, on a problem without runs, and on a score that is NaN.
 */
export function reliability(scores: readonly (readonly number[])[]): Reliability {
  const over = (p: number) => mean(scores.map((runs) => quantile(runs, p)));
  const aptitude = over(0.9);
  const worst = over(0.1);
  return { performance: mean(scores.map(mean)), aptitude, worst, unreliability: aptitude - worst };
}
