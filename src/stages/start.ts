import { z } from 'zod';
import {
  careful,
  drawSlip,
  promptText,
  type RunningSum,
  type Step,
  sameStep,
  solve,
  stepsText,
  workSteps,
} from '../problems/running-sum.ts';
import type { Stream } from '../random.ts';
import type { OwnWork } from './checked-lessons.ts';
import { drawChallenge, drawTrainingProblem, habitualSteps, slippingSteps } from './checked-reply.ts';

/** Shares of the starts of rollouts. Own errors must be among them: on-policy they become rare, and rare is unlearnt. */
export const startShares = z.strictObject({
  clean: z.number().nonnegative().default(4),
  oneSlip: z.number().nonnegative().default(2),
  habitOrSlips: z.number().nonnegative().default(2),
  ownError: z.number().nonnegative().default(2),
  rightPrefix: z.number().nonnegative().default(1),
  challenged: z.number().nonnegative().default(4),
});

export type StartShares = z.output<typeof startShares>;

/** A context whose last turn is the assistant's, open: `written` is its work so far, undefined after a challenge. */
export type Start = {
  readonly problem: RunningSum;
  readonly text: string;
  readonly written: readonly Step[] | undefined;
};

export function drawStart(draws: Stream, shares: StartShares, own: readonly OwnWork[]): Start {
  const kind = draws.weighted({ ...shares, ownError: own.length === 0 ? 0 : shares.ownError });
  if (kind === 'ownError') return afterOwnError(draws.pick(own));
  const problem = drawTrainingProblem(draws);
  if (kind === 'challenged') return challengedStart(draws, problem);
  return opened(problem, prefix(draws, problem, kind));
}

function prefix(
  draws: Stream,
  problem: RunningSum,
  kind: 'clean' | 'oneSlip' | 'habitOrSlips' | 'rightPrefix',
): Step[] {
  const length = 1 + draws.integer(problem.list.length);
  if (kind === 'clean') return [];
  if (kind === 'rightPrefix') return solve(problem).slice(0, length);
  if (kind === 'habitOrSlips') {
    return (draws.chance(0.5) ? habitualSteps(problem, draws) : slippingSteps(problem, draws)).slice(0, length);
  }
  const slip = drawSlip(draws);
  const at = draws.integer(length);
  return workSteps(problem, (position) => (position === at ? slip : careful)).slice(0, length);
}

/** The model's own work up to and with its first wrong step. */
function afterOwnError({ problem, steps }: OwnWork): Start {
  const truth = solve(problem);
  const wrong = steps.findIndex((step, at) => !sameStep(step, truth[at]!));
  return opened(problem, wrong < 0 ? steps : steps.slice(0, wrong + 1));
}

const opened = (problem: RunningSum, written: readonly Step[]): Start => ({
  problem,
  text: `U${promptText(problem)}ES${stepsText(written)}`,
  written,
});

function challengedStart(draws: Stream, problem: RunningSum): Start {
  const { text } = drawChallenge(draws, problem, CHALLENGE);
  return { problem, text, written: undefined };
}

const CHALLENGE = { own: 0.6, wrong: 0.6 };
