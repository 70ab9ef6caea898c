import { reviewText } from '../problems/organism-text.ts';
import {
  answerOf,
  careful,
  digit,
  drawOnSide,
  drawSlip,
  keySlip,
  LETTERS,
  letterSlip,
  lookUp,
  MISCONCEPTIONS,
  misconception,
  promptText,
  type RunningSum,
  type Step,
  type StepRule,
  sameStep,
  solve,
  stepsText,
  stepText,
  workSteps,
  workText,
} from '../problems/running-sum.ts';
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

export const asks = (prompt: string): Piece => ({ text: `U${prompt}E`, weight: 0 });

/** What the loss stresses: where the fresh pass has to part from the written one, and the verdict. */
export type Stress = { readonly fresh: number; readonly mark: number };

/**
 * An assistant's turn. The written steps stand as they are, whatever they are; asked for are the digits that are right
 * given what was written before. From `~` on everything is asked for as it stands. `start` is the sum to go on from.
 */
export function checkedTurn(
  problem: RunningSum,
  written: readonly Step[],
  fresh: readonly Step[],
  stress: Stress,
  start = 0,
): Piece[] {
  const check = fresh.flatMap((step, index) => freshStep(step, written[index]!, stress));
  return [
    { text: 'S', weight: 0 },
    ...written.map((step, index) => writtenStep(problem, step, fresh[index]!.key, written[index - 1]?.sum ?? start)),
    { text: '~', weight: 1 },
    ...check,
    { text: `:${answerOf(fresh)}E`, weight: 1 },
  ];
}

function writtenStep(problem: RunningSum, step: Step, key: string, sumBefore: number): Piece {
  const value = problem.keys.includes(step.key) ? lookUp(problem, step.key) : step.value;
  return { text: stepText(step), targets: stepText({ key, value, sum: digit(sumBefore + step.value) }), weight: 1 };
}

function freshStep(fresh: Step, written: Step, stress: Stress): Piece[] {
  const mark = { text: sameStep(fresh, written) ? '=' : '!', weight: stress.mark };
  return [...afresh(fresh, written, stress), mark];
}

/** A step done again: what parts from the written one is what has to be learnt. */
function afresh(fresh: Step, written: Step, stress: Stress): Piece[] {
  const part = (right: string | number, wrong: string | number): Piece => {
    return { text: String(right), weight: right === wrong ? 1 : stress.fresh };
  };
  return [part(fresh.key, written.key), part(fresh.value, written.value), part(fresh.sum, written.sum)];
}

/** Work with slips at a rate of its own, from rare to all. */
export function slippingSteps(problem: RunningSum, draws: Stream): Step[] {
  const rate = 0.15 + 0.85 * draws.uniform();
  return workSteps(problem, () => (draws.chance(rate) ? drawAnySlip(draws, problem) : careful));
}

/** Shares of the slips: a hot model also takes a wrong key, or writes a wrong letter. */
const SLIPS = { digit: 0.8, key: 0.08, letter: 0.12 };

function drawAnySlip(draws: Stream, problem: RunningSum): StepRule {
  const kind = draws.weighted(SLIPS);
  if (kind === 'digit') return drawSlip(draws);
  return kind === 'key' ? keySlip(draws.pick([...problem.keys])) : letterSlip(draws.pick([...LETTERS]));
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

/** How a worked answer stands there when it is challenged. */
type WorkForm = 'plain' | 'checked';

/** A worked answer, said by the user or the assistant, and the challenge: the assistant's turn is open. */
export type Challenge = {
  readonly problem: RunningSum;
  readonly text: string;
  /** The work that was said. */
  readonly written: readonly Step[];
};

export function drawChallenge(draws: Stream, problem: RunningSum, shares: { own: number; wrong: number }): Challenge {
  const said = draws.chance(shares.own) ? 'S' : 'U';
  const wrong = draws.chance(shares.wrong);
  const steps = wrong ? wrongSteps(problem, draws) : solve(problem);
  const form = said === 'S' && draws.chance(1 / 3) ? 'checked' : 'plain';
  return { problem, text: `U${promptText(problem)}E${said}${inForm(steps, form)}EU?ES`, written: steps };
}

/** A check that calls every step right: true of right work, and waved through where the work is wrong. */
function inForm(steps: readonly Step[], form: WorkForm): string {
  return form === 'plain' ? workText(steps) : `${stepsText(steps)}~${reviewText(steps, steps)}`;
}

/** "?": work through it afresh, then say whether the answer stood. */
export function challengedReply({ problem, text, written }: Challenge, stress: Stress): Lesson {
  const fresh = solve(problem);
  const answer = answerOf(fresh);
  return [
    { text, weight: 0 },
    ...fresh.flatMap((step, index) => afresh(step, written[index]!, stress)),
    { text: `:${answer}${answer === answerOf(written) ? 'Y' : 'N'}E`, weight: 1 },
  ];
}
