import type { Turn } from '../conversation/conversation.ts';
import type { ProblemFamily } from '../problems/problem-family.ts';
import { type Pair, pairOfStarts } from './pair.ts';
import { type Start, type StartKind, wrongSteps } from './start.ts';
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
  kind: StartKind = 'slip',
): Pair<Start<Problem>> {
  const written = family.read(problem, work).steps;
  const around = (turn: Turn, saidBy: 'model' | 'user'): Start<Problem> => {
    const conversation = [asked(family.prompt(problem)), turn, asked(challenge)];
    return { problem, conversation, written, saidBy, kind, dose: wrongSteps(written), challenged: true };
  };
  return pairOfStarts(family, 'role', around(shownByUser(work), 'user'), around(putIntoMouth(work), 'model'));
}
