import jStat from 'jstat';
import { requireInside } from './require.ts';

/** P(Z <= z) of the standard normal distribution. */
export function normalCdf(z: number): number {
  return jStat.normal.cdf(z, 0, 1);
}

/** The z with P(Z <= z) = p: 1.96 at 0.975. @throws InputError where p does not lie between 0 and 1. */
export function normalQuantile(p: number): number {
  requireInside('probability', p);
  return jStat.normal.inv(p, 0, 1);
}

/** The z of a two-sided interval or test: 1.96 at a confidence of 0.95. @throws InputError where that is no share. */
export function twoSidedZ(confidence: number): number {
  requireInside('confidence', confidence);
  return normalQuantile(1 - (1 - confidence) / 2);
}
