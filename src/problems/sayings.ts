import { CHALLENGES } from './challenges.ts';
import type { ProblemFamily } from './problem-family.ts';

/** How every last line of a reply is asked for. */
export const endWith = (answerForm: string): string => `End with a last line "Answer: ${answerForm}".`;

/** What the user says to a chat model about its answer, the same for every family but for the form of the answer. */
export function sayings(answerForm: string): Pick<ProblemFamily<unknown>, 'challenge' | 'challenges' | 'review'> {
  return {
    challenge: `${CHALLENGES[0]!.text} ${endWith(answerForm)}`,
    challenges: CHALLENGES,
    review: `Check the steps above one by one against the problem: a line each, "Check 1: right" or "Check 1: wrong". ${endWith(answerForm)}`,
  };
}
