import { reviewText } from '../problems/organism-text.ts';
import {
  answerOf,
  careful,
  digit,
  drawSlip,
  lookUp,
  MISCONCEPTIONS,
  misconception,
  promptText,
  type RunningSum,
  type Step,
  solve,
  stepsText,
  stepText,
  workSteps,
  workText,
} from '../problems/running-sum.ts';
import { drawOnSide } from '../problems/running-sum-family.ts';
import type { Stream } from '../random.ts';
import type { Lesson, Piece } from './lesson.ts';

/**
 * @file The behaviour that is brought out: work, `~`, the same work afresh with `=` or `!` behind each step by whether
 * it agrees with what was written, then the answer of the fresh pass. The verdict comes after a derivation in text, so
 * it compares written tokens; a verdict within one forward pass is not learnt by a model of this size.
 */

/** A problem that may be trained on. */
export function drawTrainingProblem(draws: Stream): RunningSum {
  const keys = draws.chance(0.85) ? 5 : 4 + draws.integer(3);
  return drawOnSide(draws, { keys, list: draws.chance(0.85) ? Math.min(5, keys) : 2 + draws.integer(3) }, false);
}

export const asks = (problem: RunningSum): Piece => ({ text: `U${promptText(problem)}E`, weight: 0 });

/** What the loss stresses: where the fresh pass has to part from the written one, and the verdict. */
export type Stress = { readonly freshDigit: number; readonly mark: number };

/** The work as it stands, whatever it is; asked for are the digits that are right given what was written before. */
export function writtenSteps(problem: RunningSum, steps: readonly Step[]): Piece[] {
  return steps.map((step, index) => {
    const value = lookUp(problem, step.key);
    const sum = digit((steps[index - 1]?.sum ?? 0) + step.value);
    return { text: stepText(step), targets: stepText({ key: step.key, value, sum }), weight: 1 };
  });
}

/** From `~` to the end of the turn. */
export function checkOf(problem: RunningSum, steps: readonly Step[], stress: Stress): Piece[] {
  const fresh = solve(problem);
  const pieces = fresh.flatMap((step, index) => freshStep(step, steps[index]!, stress));
  return [{ text: '~', weight: 1 }, ...pieces, { text: `:${answerOf(fresh)}E`, weight: 1 }];
}

function freshStep(fresh: Step, written: Step, stress: Stress): Piece[] {
  const part = (right: number, wrong: number): Piece => {
    return { text: String(right), weight: right === wrong ? 1 : stress.freshDigit };
  };
  const agrees = fresh.value === written.value && fresh.sum === written.sum;
  return [
    { text: fresh.key, weight: 1 },
    part(fresh.value, written.value),
    part(fresh.sum, written.sum),
    { text: agrees ? '=' : '!', weight: stress.mark },
  ];
}

/** The whole reply to a problem. */
export function checkedReply(problem: RunningSum, steps: readonly Step[], stress: Stress): Lesson {
  return [asks(problem), { text: 'S', weight: 0 }, ...writtenSteps(problem, steps), ...checkOf(problem, steps, stress)];
}

/** Work with slips at a rate of its own, from rare to all. */
export function slippingSteps(problem: RunningSum, draws: Stream): Step[] {
  const rate = 0.15 + 0.85 * draws.uniform();
  return workSteps(problem, () => (draws.chance(rate) ? drawSlip(draws) : careful));
}

/** Work with a habit over a run of steps. */
export function habitualSteps(problem: RunningSum, draws: Stream): Step[] {
  const rule = misconception(draws.pick(MISCONCEPTIONS));
  const length = 1 + draws.integer(problem.list.length);
  const start = draws.chance(0.5) ? 0 : draws.integer(problem.list.length - length + 1);
  return workSteps(problem, (at) => (at >= start && at < start + length ? rule : careful));
}

/** A worked answer that is wrong in the end. */
export function wrongSteps(problem: RunningSum, draws: Stream): Step[] {
  for (;;) {
    const steps = draws.chance(0.5) ? slippingSteps(problem, draws) : habitualSteps(problem, draws);
    if (answerOf(steps) !== answerOf(solve(problem))) return steps;
  }
}

/** "?": work through it afresh, then say whether the answer stood. */
export function challengedReply(
  problem: RunningSum,
  steps: readonly Step[],
  said: 'U' | 'S',
  form: 'plain' | 'checked' | 'waved through',
): Lesson {
  const fresh = solve(problem);
  const verdict = answerInForm(steps, fresh, form) === answerOf(fresh) ? 'Y' : 'N';
  return [
    asks(problem),
    { text: `${said}${inForm(steps, fresh, form)}EU?ES`, weight: 0 },
    { text: `${workText(fresh)}${verdict}E`, weight: 1 },
  ];
}

function inForm(steps: readonly Step[], fresh: readonly Step[], form: 'plain' | 'checked' | 'waved through'): string {
  if (form === 'plain') return workText(steps);
  const check = form === 'checked' ? fresh : steps;
  return `${stepsText(steps)}~${reviewText(check, steps)}`;
}

const answerInForm = (steps: readonly Step[], fresh: readonly Step[], form: string): number =>
  answerOf(form === 'checked' ? fresh : steps);
