import type { ProblemFamily, WorkedStep } from '../problems/problem-family.ts';
import { type Pair, pairOfStarts } from './pair.ts';
import { openStart, type Start, type StartKind } from './start.ts';

/**
 * What was written before: the model's open turn begins with wrong steps (treated) or with as many right ones
 * (control), and it goes on from there. After Sinha et al. 2025 (arXiv 2509.09677).
 */
export function ownPrefix<Problem>(
  family: ProblemFamily<Problem>,
  problem: Problem,
  right: readonly WorkedStep[],
  wrong: readonly WorkedStep[],
  kind: StartKind = 'slip',
): Pair<Start<Problem>> {
  const control = openStart(family, problem, right, 'right');
  return pairOfStarts(family, 'text', control, openStart(family, problem, wrong, kind));
}
