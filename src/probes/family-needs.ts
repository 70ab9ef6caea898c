import type { ProblemFamily } from '../problems/problem-family.ts';
import type { Behaviour } from '../record/metrics.ts';

/** Work that goes on step by step: only then is there something to continue, or a step to repeat. */
export function hasSteps<Problem>(family: ProblemFamily<Problem>, problems: readonly Problem[]): boolean {
  return problems.every((problem) => family.length(problem) > 1);
}

const STEPWISE: readonly Behaviour[] = ['error-amplification', 'error-checking', 'self-correction'];

/** Why these problems cannot show a behaviour; undefined where they can. */
export function lacking<Problem>(
  family: ProblemFamily<Problem>,
  problems: readonly Problem[],
  behaviour: Behaviour,
): string | undefined {
  if (behaviour === 'defensiveness' && family.slips.length + family.misconceptions.length === 0) {
    return `no wrong answers to ${family.name} have been handed in`;
  }
  if (!STEPWISE.includes(behaviour)) return undefined;
  if (!hasSteps(family, problems)) return `a problem of ${family.name} is worked in a single step`;
  return family.misconceptions.length > 0 ? undefined : `${family.name} has no misconceptions`;
}
