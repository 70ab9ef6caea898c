import type { ProblemFamily, WorkedStep } from '../problems/problem-family.ts';
import { workInProgress } from '../problems/problem-family.ts';
import { type Pair, pairOfStarts } from './pair.ts';
import type { Start } from './start.ts';
import { asked, putIntoMouth } from './turns.ts';

/** A rut begun: the last of these steps stands there `copies` times (treated) or once (control). After DITTO (2206.02369). */
export function repeatedStep<Problem>(
  family: ProblemFamily<Problem>,
  problem: Problem,
  written: readonly WorkedStep[],
  copies: number,
  prompt = family.prompt(problem),
): Pair<Start<Problem>> {
  const side = (dose: number): Start<Problem> => {
    const text = workInProgress(written) + written.at(-1)!.text.repeat(dose - 1); // there is a step to repeat
    const conversation = [asked(prompt), putIntoMouth(text)];
    return { problem, conversation, written, saidBy: 'model', kind: 'repeated', dose, challenged: false };
  };
  return pairOfStarts(family, 'text', side(1), side(copies));
}
