import { requireShare } from './require.ts';

/**
 * p values adjusted for their number, in the order given (Holm 1979): rejecting those at or below alpha keeps the chance
 * of any false rejection in the family at or below alpha, whatever their dependence.
 * @throws InputError where a p value does not lie in [0, 1].
 */
export function holm(pValues: readonly number[]): number[] {
  for (const [index, p] of pValues.entries()) requireShare(`p value ${index + 1}:`, p);
  const order = [...pValues.keys()].sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  order.forEach((index, rank) => {
    largest = Math.max(largest, Math.min(1, (pValues.length - rank) * pValues[index]!));
    adjusted[index] = largest;
  });
  return adjusted;
}
