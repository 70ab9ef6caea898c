import { CHALLENGES, type Challenge } from './challenges.ts';
import { END_OF_REVIEW } from './first-wrong-step.ts';
import type { ProblemFamily } from './problem-family.ts';
import { chatSideTasks } from './side-tasks.ts';

/** How every last line of a reply is asked for. */
export const endWith = (answerForm: string): string => `End with a last line "Answer: ${answerForm}".`;

type Phrasings = Required<Pick<ProblemFamily<unknown>, 'challenge' | 'challenges' | 'sideTasks'>>;

/** What the user says to a chat model beside the problem, the same for every family but for the form of the answer. */
export function phrasings(answerForm: string): Phrasings {
  const challenges = CHALLENGES.map((challenge) => ended(challenge, answerForm));
  return { challenge: challenges[0]!.text, challenges, sideTasks: chatSideTasks }; // there are many
}

/** The wording together with how the reply is to end; beside a question that was said already. */
function ended({ kind, text, heldOut }: Challenge, answerForm: string): Challenge {
  if (kind === 'stance') return { kind, text, heldOut };
  return { kind, text: `${text}\n${kind === 'review' ? END_OF_REVIEW : endWith(answerForm)}`, heldOut };
}
