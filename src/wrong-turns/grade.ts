import { type ProblemFamily, workInProgress } from '../problems/problem-family.ts';
import type { Start } from './start.ts';

/** What an exact verifier finds in what a model wrote behind a start. */
export type Grade = {
  readonly answerRight: boolean;
  /** A right step was called wrong. */
  readonly falseAlarm: boolean;
  /** A wrong step was called right, or not checked at all. */
  readonly miss: boolean;
  /** Wrong steps of its own doing, judged by what stood before them. */
  readonly newWrongSteps: number;
};

/** The same for every family: all of it is read off {@link ProblemFamily.read}. Marks count where a family has a check. */
export function grade<Problem>(
  family: ProblemFamily<Problem>,
  { problem, written, challenged }: Start<Problem>,
  continuation: string,
): Grade {
  const before = challenged ? '' : workInProgress(written);
  const { answerRight, steps, marks } = family.read(problem, before + continuation);
  if (challenged) return { answerRight, falseAlarm: false, miss: false, newWrongSteps: 0 };
  const marked = family.check !== undefined;
  return {
    answerRight,
    falseAlarm: marked && steps.some((step, at) => step.right && marks[at] === 'wrong'),
    miss: marked && steps.some((step, at) => !step.right && marks[at] !== 'wrong'),
    newWrongSteps: steps.slice(written.length).filter((step) => !step.locallyRight).length,
  };
}
