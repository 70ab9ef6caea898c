import type { Conversation } from '../conversation/conversation.ts';
import type { ProblemFamily, WorkedStep } from '../problems/problem-family.ts';
import { workInProgress } from '../problems/problem-family.ts';
import { makePair, type Pair } from './pair.ts';
import { asked, putIntoMouth } from './turns.ts';

/**
 * What was written before: the model's open turn begins with wrong steps (treated) or with as many right ones
 * (control), and it goes on from there. After Sinha et al. 2025 (arXiv 2509.09677).
 */
export function ownPrefix<Problem>(
  family: ProblemFamily<Problem>,
  problem: Problem,
  right: readonly WorkedStep[],
  wrong: readonly WorkedStep[],
): Pair {
  return makePair(family.id(problem), 'text', opened(family, problem, right), opened(family, problem, wrong));
}

/** The problem, and the model's turn open behind these steps. */
export function opened<Problem>(
  family: ProblemFamily<Problem>,
  problem: Problem,
  steps: readonly WorkedStep[],
): Conversation {
  return [asked(family.prompt(problem)), putIntoMouth(workInProgress(steps))];
}
