import { InputError } from '../errors.ts';
import { requireNumbers, requireShare } from './require.ts';

/**
 * The quantile at `p` in [0, 1], linear between order statistics: type 7 of Hyndman & Fan 1996, the default of R and NumPy.
 * @throws InputError on no values, on one that is NaN, and where `p` lies elsewhere.
 */
export function quantile(values: ArrayLike<number>, p: number): number {
  requireNumbers('values', values);
  return quantileOfSorted(Float64Array.from(values).sort(), p);
}

/** The same of values that are already in ascending order. */
export function quantileOfSorted(sorted: Float64Array, p: number): number {
  if (sorted.length === 0) throw new InputError('quantile: no values; give at least one');
  requireShare('quantile', p);
  const position = p * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (position - below) * (high - low);
}
