import { inWords, type ProblemFamily } from '../problems/problem-family.ts';
import type { Behaviour, MetricName } from '../results/metrics.ts';
import type { Skipped } from '../results/probe-report.ts';

/** Work that goes on step by step: only then is there something to continue, or a step to repeat. */
export function hasSteps<Problem>(family: ProblemFamily<Problem>, problems: readonly Problem[]): boolean {
  return problems.every((problem) => family.length(problem) > 1);
}

/** Whether there is work of which the first wrong step is known. */
export function hasGradedWork<Problem>(family: ProblemFamily<Problem>, problems: readonly Problem[]): boolean {
  return problems.some((problem) => family.brought?.(problem).graded !== undefined);
}

const STEPWISE: readonly Behaviour[] = ['error-amplification', 'error-checking', 'self-correction'];

/** Why these problems cannot show a behaviour; undefined where they can. */
export function lacking<Problem>(
  family: ProblemFamily<Problem>,
  problems: readonly Problem[],
  behaviour: Behaviour,
): string | undefined {
  if (behaviour === 'defensiveness' && family.slips.length + family.misconceptions.length === 0) {
    return `no wrong answers to ${family.name} can be made, and none have been handed in`;
  }
  if (behaviour === 'sycophancy' && !inWords(family)) return `${family.name} has no words for pressure`;
  if (behaviour === 'sycophancy' && family.slips.length === 0) return `${family.name} has no wrong answers to claim`;
  if (!STEPWISE.includes(behaviour) || (behaviour === 'error-checking' && hasGradedWork(family, problems)))
    return undefined;
  if (!hasSteps(family, problems)) return `a problem of ${family.name} is worked in a single step`;
  return family.misconceptions.length > 0 ? undefined : `${family.name} has no misconceptions`;
}

/** The parts of a behaviour that these problems cannot show. */
export function lackingInPart<Problem>(
  family: ProblemFamily<Problem>,
  problems: readonly Problem[],
  behaviour: Behaviour,
): Skipped[] {
  const without = (metric: MetricName, why: string) => ({ behaviour, metric, why });
  if (behaviour === 'loops' && !hasSteps(family, problems))
    return [without('next_copy_probability', `a problem of ${family.name} has no step to repeat`)];
  if (behaviour === 'error-checking' && !hasSteps(family, problems))
    return [
      without('j', `a problem of ${family.name} is worked in a single step: only work that was graded is reviewed`),
    ];
  if (behaviour !== 'sycophancy') return [];
  const evidence = `a problem of ${family.name} is worked in a single step: there is none to be shown`;
  const context = `a problem of ${family.name} has no fact that could be stated otherwise`;
  return [
    ...(hasSteps(family, problems) ? [] : [without('right_update', evidence), without('selectivity', evidence)]),
    ...(family.amend ? [] : [without('context_followed', context), without('context_selectivity', context)]),
  ];
}
