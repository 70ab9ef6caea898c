import jStat from 'jstat';
import { normalCdf } from './normal.ts';
import { requireCount } from './require.ts';

/** Below this many discordant pairs the chi-square approximation is not trusted. */
const exactBelow = 25;

/** What {@link mcnemar} does, for captions. */
export const mcnemarName = `McNemar (exact below ${exactBelow} discordant pairs, chi-square with continuity correction above)`;

/**
 * Two-sided p value for a change of a paired yes/no, from the two discordant counts: pairs that went from no to yes and
 * from yes to no. Exact binomial below 25 discordant pairs; from there on McNemar's chi-square with Edwards' 1948
 * continuity correction. 1 where no pair is discordant. Never above its level, and often far below it: {@link mcnemarMidP}.
 * @throws InputError where a count is not a whole number from 0 on.
 */
export function mcnemar(gained: number, lost: number): number {
  requireCount('pairs that gained', gained);
  requireCount('pairs that lost', lost);
  return gained + lost < exactBelow ? exactBinomial(gained, lost) : correctedChiSquare(gained, lost);
}

/**
 * The mid-p value of the same test: the exact one less half the probability of the observed table (Lancaster 1961). It
 * comes closer to its nominal level than the exact test does, and exceeds it rarely and slightly (Fagerland, Lydersen &
 * Laake 2013, BMC Med. Res. Methodol. 13:91). Exact at any count: the binomial is summed in logarithms.
 * @throws InputError where a count is not a whole number from 0 on.
 */
export function mcnemarMidP(gained: number, lost: number): number {
  requireCount('pairs that gained', gained);
  requireCount('pairs that lost', lost);
  const fewer = Math.min(gained, lost);
  const [upTo, at] = binomialHalf(fewer, gained + lost);
  return Math.min(1, 2 * upTo - at);
}

/** P(X <= k) and P(X = k) of k heads in n throws of a fair coin. */
function binomialHalf(k: number, n: number): readonly [upTo: number, at: number] {
  let logMass = -n * Math.LN2;
  let upTo = Math.exp(logMass);
  for (let heads = 1; heads <= k; heads++) {
    logMass += Math.log((n - heads + 1) / heads);
    upTo += Math.exp(logMass);
  }
  return [upTo, Math.exp(logMass)];
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
