import { InputError } from '../errors.ts';
import { requireNumbers } from './require.ts';

/**
 * The area under the ROC curve: the probability that a positive scores above a negative, ties counting half.
 * Equals the Mann-Whitney U over the number of pairs (Hanley & McNeil 1982); by ranks, in O(n log n).
 * @throws InputError where one class is empty, or a score is NaN.
 */
export function areaUnderCurve(positives: readonly number[], negatives: readonly number[]): number {
  if (positives.length === 0 || negatives.length === 0) {
    throw new InputError(`AUC: ${positives.length} positives and ${negatives.length} negatives; give some of both`);
  }
  requireNumbers('positives', positives);
  requireNumbers('negatives', negatives);
  const rankSum = midRanks([...positives, ...negatives]).subarray(0, positives.length);
  const smallest = (positives.length * (positives.length + 1)) / 2;
  const u = rankSum.reduce((sum, rank) => sum + rank, 0) - smallest;
  return u / (positives.length * negatives.length);
}

/** Ranks from 1, in the order of the values; equal values share the mean of their ranks. */
function midRanks(values: readonly number[]): Float64Array {
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(values.length);
  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (const index of order.subarray(start, end)) ranks[index] = (start + 1 + end) / 2;
  }
  return ranks;
}
