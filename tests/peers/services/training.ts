import type { AdamParams, Datum, Loss, Policy } from '../../../src/engine/engine.ts';
import { stream } from '../../../src/random.ts';

/** @file Data and steps by which two engines are held against each other. Lengths differ, weights have any sign. */

const CROSS_ENTROPY: Loss = { kind: 'cross_entropy' };

export const LOSSES: readonly Loss[] = [
  { kind: 'importance_sampling' },
  { kind: 'ppo', low: 0.8, high: 1.2 },
  { kind: 'cispo', low: 0.5, high: 2 },
  { kind: 'dro', beta: 0.1 },
];

export function weighted(seed: number): Datum[] {
  const draws = stream(seed, 'weighted');
  return [6, 11, 17].map((length) => {
    const ids = Array.from({ length: length + 1 }, () => draws.integer(20));
    return { input: ids.slice(0, -1), targets: ids.slice(1), weights: ids.slice(1).map(() => draws.uniform() - 0.3) };
  });
}

export function rewarded(seed: number): Datum[] {
  return weighted(seed).map(({ input, targets, weights }) => ({
    input,
    targets,
    logprobs: input.map((id) => -1 - id / 10),
    advantages: weights!, // there are some
  }));
}

export type Outcome = {
  /** Of each pass, in order. */
  readonly losses: number[];
  readonly gradientNorms: number[];
  /** Of a text that is not trained on, after each step. */
  readonly logprobs: number[][];
};

/** A few steps of AdamW, each on cross entropy and a policy loss together. */
export async function trainSteps(policy: Policy, losses: readonly Loss[], adam: AdamParams): Promise<Outcome> {
  const outcome: Outcome = { losses: [], gradientNorms: [], logprobs: [] };
  for (const [step, loss] of losses.entries()) {
    const passes = [
      policy.forwardBackward(weighted(step), CROSS_ENTROPY),
      policy.forwardBackward(rewarded(step), loss),
    ];
    const [outputs, { gradientNorm }] = await Promise.all([Promise.all(passes), policy.optimStep(adam)]);
    outcome.losses.push(...outputs.map((output) => output.loss));
    outcome.gradientNorms.push(gradientNorm);
    const seen = await policy.forward(
      weighted(99).map(({ input, targets }) => ({ input, targets })),
      CROSS_ENTROPY,
    );
    outcome.logprobs.push(seen.logprobs.flatMap((row) => [...row]));
  }
  return outcome;
}

export function largestDifference(one: readonly number[], other: readonly number[]): number {
  return Math.max(...one.map((value, at) => Math.abs(value - other[at]!)));
}
