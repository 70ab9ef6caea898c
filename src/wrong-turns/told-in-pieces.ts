import type { ProblemFamily } from '../problems/problem-family.ts';
import type { Stream } from '../random.ts';
import { type Pair, pairOfStarts } from './pair.ts';
import { openStart, type Start } from './start.ts';

/** How it is told: the problem in pieces within one turn (treated) or at once (control). After CCOPD (arXiv 2605.30251). */
export function toldInPieces<Problem>(
  family: ProblemFamily<Problem>,
  problem: Problem,
  draws: Stream,
): Pair<Start<Problem>> {
  const told = (prompt: string) => openStart(family, problem, [], 'clean', prompt);
  return pairOfStarts(family, 'delivery', told(family.prompt(problem)), told(family.shards(problem, draws).joined));
}
