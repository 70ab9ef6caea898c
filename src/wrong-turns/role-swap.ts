import type { Conversation, Turn } from '../conversation/conversation.ts';
import type { ProblemFamily } from '../problems/problem-family.ts';
import { makePair, type Pair } from './pair.ts';
import { asked, putIntoMouth, shownByUser } from './turns.ts';

/**
 * Who said it: the same worked answer as the model's own turn (treated) and as the user's (control), then the same
 * challenge. After Tsui 2025 (arXiv 2507.02778) and Chen 2026 (arXiv 2606.05976).
 */
export function roleSwap<Problem>(
  family: ProblemFamily<Problem>,
  problem: Problem,
  work: string,
  challenge = family.challenge,
): Pair {
  const around = (turn: Turn): Conversation => [asked(family.prompt(problem)), turn, asked(challenge)];
  return makePair(family.id(problem), 'role', around(shownByUser(work)), around(putIntoMouth(work)));
}
