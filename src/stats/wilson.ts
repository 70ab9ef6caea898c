import { InputError } from '../errors.ts';
import type { Interval } from './interval.ts';
import { twoSidedZ } from './normal.ts';
import { requireShare } from './require.ts';

/**
 * The score interval of a share (Wilson 1927). Honest at 0 and 1, where the bootstrap's interval has no width.
 * `trials` need not be whole: clustered data count as fewer, see `estimate.ts`.
 * @throws InputError where the share does not lie in [0, 1], or there are no trials.
 */
export function wilsonInterval(share: number, trials: number, confidence = 0.95): Interval {
  requireShare('share', share);
  if (!(trials > 0 && trials < Number.POSITIVE_INFINITY)) throw new InputError(`trials ${trials}: give more than 0`);
  const z2 = twoSidedZ(confidence) ** 2;
  const centre = (share + z2 / (2 * trials)) / (1 + z2 / trials);
  const half = Math.sqrt((share * (1 - share) * z2) / trials + (z2 / (2 * trials)) ** 2) / (1 + z2 / trials);
  return { low: Math.max(0, Math.min(share, centre - half)), high: Math.min(1, Math.max(share, centre + half)) };
}
