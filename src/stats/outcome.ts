import { InputError } from '../errors.ts';

/**
 * One problem's share of a rate: the rate is sum(numerator) / sum(denominator). A yes/no has denominator 1, a rate per
 * step the number of steps, nats per token the number of tokens.
 */
export type Outcome = { readonly problem: string; readonly numerator: number; readonly denominator: number };

export type Ratio = { readonly numerator: number; readonly denominator: number };

export const nothing: Ratio = { numerator: 0, denominator: 0 };

/**
 * Outcomes of one problem belong together: they are summed, so that problems can be drawn whole.
 * @throws InputError naming a problem whose outcome is not finite.
 */
export function byProblem(outcomes: readonly Outcome[]): ReadonlyMap<string, Ratio> {
  const sums = new Map<string, Ratio>();
  for (const outcome of outcomes) {
    if (!Number.isFinite(outcome.numerator) || !Number.isFinite(outcome.denominator)) throw notFinite(outcome);
    sums.set(outcome.problem, addRatio(sums.get(outcome.problem) ?? nothing, outcome));
  }
  return sums;
}

function notFinite({ problem, numerator, denominator }: Outcome): InputError {
  return new InputError(
    `outcome of ${problem}: ${numerator} of ${denominator} is not finite; leave out what was not measured`,
  );
}

export function addRatio(a: Ratio, b: Ratio): Ratio {
  return { numerator: a.numerator + b.numerator, denominator: a.denominator + b.denominator };
}

/**
 * Whether a problem says anything. One with a numerator alone does: where the own wrong answer was corrected and the
 * user's was not, the blind spot has -1 over 0.
 */
export function counted({ numerator, denominator }: Ratio): boolean {
  return numerator !== 0 || denominator !== 0;
}

/** The rate over all; NaN where nothing was counted. */
export function rate(ratios: readonly Ratio[]): number {
  const total = ratios.reduce(addRatio, nothing);
  return total.numerator / total.denominator;
}

/** The weight of a typical problem, for made-up ones. */
export function meanDenominator(ratios: readonly Ratio[]): number {
  return ratios.reduce((sum, ratio) => sum + ratio.denominator, 0) / ratios.length;
}

/** The rate of a resample, in which problem i was drawn `counts[i]` times. */
export function drawnRate(ratios: readonly Ratio[], counts: Uint32Array): number {
  let numerator = 0;
  let denominator = 0;
  for (let index = 0; index < ratios.length; index++) {
    numerator += counts[index]! * ratios[index]!.numerator;
    denominator += counts[index]! * ratios[index]!.denominator;
  }
  return numerator / denominator;
}
