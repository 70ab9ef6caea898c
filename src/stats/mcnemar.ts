import jStat from 'jstat';
import { normalCdf } from './normal.ts';

/** Below this many discordant pairs the chi-square approximation is not trusted. */
const exactBelow = 25;

/** What {@link mcnemar} does, for captions. */
export const mcnemarName = `McNemar (exact below ${exactBelow} discordant pairs, chi-square with continuity correction above)`;

/**
 * Two-sided p value for a change of a paired yes/no, from the two discordant counts: pairs that went from no to yes and
 * from yes to no. Exact binomial below 25 discordant pairs; from there on McNemar's chi-square with Edwards' 1948
 * continuity correction. 1 where no pair is discordant.
 */
export function mcnemar(gained: number, lost: number): number {
  return gained + lost < exactBelow ? exactBinomial(gained, lost) : correctedChiSquare(gained, lost);
}

function exactBinomial(gained: number, lost: number): number {
  if (gained === lost) return 1;
  return Math.min(1, 2 * jStat.binomial.cdf(Math.min(gained, lost), gained + lost, 0.5));
}

function correctedChiSquare(gained: number, lost: number): number {
  const distance = Math.max(0, Math.abs(gained - lost) - 1);
  // chi-square with one degree of freedom is the square of a standard normal
  return 2 * normalCdf(-distance / Math.sqrt(gained + lost));
}
