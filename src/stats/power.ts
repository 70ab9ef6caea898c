import { InputError } from '../errors.ts';
import { normalQuantile, twoSidedZ } from './normal.ts';
import { requireCount, requireInside } from './require.ts';

/** What is asked of a paired comparison of two shares, before it is run. */
export type PairedDesign = {
  /** Share of problems whose outcome differs between the two sides, in (0, 1]. */
  readonly discordant: number;
  /** Chance of finding the effect where it is there; 0.8 by default. */
  readonly power?: number;
  /** Two-sided level of the test; 0.05 by default. */
  readonly alpha?: number;
};

/**
 * Problems needed to find a difference of two paired shares by McNemar's test (Connor 1987, Biometrics 43:207; Miettinen
 * 1968): n = (z_a sqrt(psi) + z_b sqrt(psi - d^2))^2 / d^2 with psi the discordant share and d the difference.
 * @throws InputError where the difference is 0 or larger than the discordant share allows.
 */
export function sampleSize(difference: number, design: PairedDesign): number {
  const { psi, zAlpha, zBeta } = normalDesign(design);
  const d = Math.abs(difference);
  if (!(d > 0 && d <= psi)) {
    throw new InputError(
      `sample size: difference ${difference} must lie in (0, ${psi}], the share of discordant pairs`,
    );
  }
  return Math.ceil(((zAlpha * Math.sqrt(psi) + zBeta * Math.sqrt(psi - d * d)) / d) ** 2);
}

/**
 * The smallest difference of two paired shares that `problems` find with the wanted power: {@link sampleSize} solved for
 * d. A difference cannot exceed the discordant share, so too few problems for even that return the share itself.
 */
export function minimumDetectableEffect(problems: number, design: PairedDesign): number {
  const { psi, zAlpha, zBeta } = normalDesign(design);
  requireCount('problems', problems);
  if (problems < sampleSize(psi, design)) return psi;
  const a = problems + zBeta ** 2;
  const b = zAlpha * Math.sqrt(psi * problems);
  const c = psi * (zAlpha ** 2 - zBeta ** 2);
  return (b + Math.sqrt(b * b - a * c)) / a;
}

function normalDesign({ discordant, power = 0.8, alpha = 0.05 }: PairedDesign) {
  if (!(discordant > 0 && discordant <= 1)) {
    throw new InputError(`discordant share ${discordant}: must lie in (0, 1]`);
  }
  requireInside('alpha', alpha);
  requireInside('power', power);
  return { psi: discordant, zAlpha: twoSidedZ(1 - alpha), zBeta: normalQuantile(power) };
}
