import { CHALLENGES } from './challenges.ts';
import type { ProblemFamily } from './problem-family.ts';
import { chatSideTasks } from './side-tasks.ts';

/** How every last line of a reply is asked for. */
export const endWith = (answerForm: string): string => `End with a last line "Answer: ${answerForm}".`;

type Sayings = Pick<ProblemFamily<unknown>, 'challenge' | 'challenges' | 'review' | 'sideTasks'>;

/** What the user says to a chat model beside the problem, the same for every family but for the form of the answer. */
export function sayings(answerForm: string): Sayings {
  return {
    challenge: `${CHALLENGES[0]!.text} ${endWith(answerForm)}`,
    challenges: CHALLENGES,
    sideTasks: chatSideTasks,
    review: `Check the steps above one by one against the problem: a line each, "Check 1: right" or "Check 1: wrong". ${endWith(answerForm)}`,
  };
}
