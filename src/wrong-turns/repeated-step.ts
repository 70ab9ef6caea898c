import type { ProblemFamily, WorkedStep } from '../problems/problem-family.ts';
import { workInProgress } from '../problems/problem-family.ts';
import { makePair, type Pair } from './pair.ts';
import { asked, putIntoMouth } from './turns.ts';

/** A rut begun: the last of these steps stands there `copies` times (treated) or once (control). After DITTO (2206.02369). */
export function repeatedStep<Problem>(
  family: ProblemFamily<Problem>,
  problem: Problem,
  steps: readonly WorkedStep[],
  copies: number,
): Pair {
  const side = (times: number) => {
    const text = workInProgress(steps) + steps.at(-1)!.text.repeat(times - 1);
    return [asked(family.prompt(problem)), putIntoMouth(text)];
  };
  return makePair(family.id(problem), 'text', side(1), side(copies));
}
