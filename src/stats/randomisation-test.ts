import type { Stream } from '../random.ts';
import type { Ratio } from './outcome.ts';

/** One problem before and after. */
export type Pair = { readonly before: Ratio; readonly after: Ratio };

/**
 * Two-sided p value for "before and after are exchangeable within each problem" (Fisher's paired randomisation test,
 * Edgington & Onghena 2007): how often swapping the sides of problems at random moves the rate at least as far. The
 * observed arrangement counts as one of the draws, so that p is never 0 and the test keeps its level.
 */
export function randomisationTest(pairs: readonly Pair[], stream: Stream, draws: number): number {
  const observed = Math.abs(signedChange(pairs, () => false));
  // a hair below, so that arrangements that tie with the observed one count in spite of rounding
  const reached = observed - 1e-12 * Math.max(1, observed);
  const coin = coins(stream);
  let asFar = 1;
  for (let draw = 0; draw < draws; draw++) {
    if (!(Math.abs(signedChange(pairs, coin)) < reached)) asFar++;
  }
  return asFar / (draws + 1);
}

/** Fair coins, thirty from one draw. */
function coins(stream: Stream): () => boolean {
  let bits = 0;
  let left = 0;
  return () => {
    if (left === 0) [bits, left] = [stream.integer(2 ** 30), 30];
    const head = (bits & 1) === 1;
    bits >>= 1;
    left--;
    return head;
  };
}

function signedChange(pairs: readonly Pair[], swap: () => boolean): number {
  const sums = { left: 0, leftCount: 0, right: 0, rightCount: 0 };
  for (const { before, after } of pairs) {
    const swapped = swap();
    const left = swapped ? after : before;
    const right = swapped ? before : after;
    sums.left += left.numerator;
    sums.leftCount += left.denominator;
    sums.right += right.numerator;
    sums.rightCount += right.denominator;
  }
  return sums.right / sums.rightCount - sums.left / sums.leftCount;
}
