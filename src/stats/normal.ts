import jStat from 'jstat';

/** P(Z <= z) of the standard normal distribution. */
export function normalCdf(z: number): number {
  return jStat.normal.cdf(z, 0, 1);
}

/** The z with P(Z <= z) = p, for p in (0, 1): 1.96 at 0.975. */
export function normalQuantile(p: number): number {
  return jStat.normal.inv(p, 0, 1);
}

/** The z of a two-sided interval or test: 1.96 at a confidence of 0.95. */
export function twoSidedZ(confidence: number): number {
  return normalQuantile(1 - (1 - confidence) / 2);
}
