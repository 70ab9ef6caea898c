import type { Manner, WorkedStep } from '../problems/problem-family.ts';
import type { Stream } from '../random.ts';
import { ownPrefix } from '../wrong-turns/own-prefix.ts';
import { habit, oneSlip, rightWork } from '../wrong-turns/wrong-work.ts';
import { type Bench, drawsFor } from './bench.ts';
import { harvestOwnErrors, type OwnError } from './own-errors.ts';

/** Whole work in which a wrong step is to be found, or none. */
export type Case<Problem> = { readonly problem: Problem; readonly steps: readonly WorkedStep[] };

/** Wrong work of one kind, each over all problems; own errors over those problems that yield one. */
export type Arm<Problem> = {
  readonly kind: 'slip' | 'misconception' | 'own';
  readonly condition: string;
  readonly cases: readonly Case<Problem>[];
};

export type Arms<Problem> = {
  readonly arms: readonly Arm<Problem>[];
  /** The cases of the last arm, as they were sampled. */
  readonly own: readonly OwnError<Problem>[];
};

export async function wrongArms<Problem>(bench: Bench<Problem>): Promise<Arms<Problem>> {
  const { family } = bench;
  const slipArms = family.slips.map((what): Arm<Problem> => {
    const cases = wrongCases(bench, what, (draws, length) => oneSlip(family, draws.integer(length), draws, what));
    return { kind: 'slip', condition: `kind=slip,what=${what}`, cases };
  });
  const habits = wrongCases(bench, 'habit', (draws) => habit(family, draws));
  const own = await harvestOwnErrors(bench);
  const arms = [
    ...slipArms,
    { kind: 'misconception', condition: 'kind=misconception', cases: habits } as const,
    { kind: 'own', condition: 'kind=own', cases: own } as const,
  ];
  return { arms, own };
}

/** The other side: the same problems, worked rightly. */
export function rightCases<Problem>(bench: Bench<Problem>): Case<Problem>[] {
  return bench.problems.map((problem) => {
    return { problem, steps: rightWork(bench.family, problem, drawsFor(bench, problem, 'untouched')) };
  });
}

function wrongCases<Problem>(
  bench: Bench<Problem>,
  name: string,
  manner: (draws: Stream, length: number) => (position: number) => Manner,
): Case<Problem>[] {
  const { family } = bench;
  return bench.problems.map((problem) => {
    const draws = drawsFor(bench, problem, 'flipped', name);
    const steps = family.work(problem, manner(draws, family.length(problem)), draws);
    ownPrefix(family, problem, rightWork(family, problem, draws), steps); // the pair: only the work may differ
    return { problem, steps };
  });
}

export const firstWrong = (steps: readonly WorkedStep[]): number => steps.findIndex((step) => !step.right);
