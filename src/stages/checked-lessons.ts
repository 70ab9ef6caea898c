import { z } from 'zod';
import { type RunningSum, type Step, solve } from '../problems/running-sum.ts';
import type { Stream } from '../random.ts';
import {
  challengedReply,
  checkedReply,
  drawTrainingProblem,
  habitualSteps,
  slippingSteps,
  wrongSteps,
} from './checked-reply.ts';
import type { Lesson } from './lesson.ts';

/** Shares of the lessons, and what the loss stresses in them. */
export const lessonOptions = z.strictObject({
  /** Lessons per step. */
  lessons: z.int().positive().default(44),
  shares: z
    .strictObject({
      challenged: z.number().nonnegative().default(0.22),
      right: z.number().nonnegative().default(0.2),
      slips: z.number().nonnegative().default(0.32),
      habit: z.number().nonnegative().default(0.26),
      own: z.number().nonnegative().default(0),
    })
    .prefault({}),
  /** Among the challenged: share that stands in the assistant's own turn, share that is wrong. */
  challengedOwn: z.number().min(0).max(1).default(0.6),
  challengedWrong: z.number().min(0).max(1).default(0.5),
  /** Among the wrong steps sampled by the model itself: share of the pool that is wrong. */
  stress: z
    .strictObject({ freshDigit: z.number().nonnegative().default(3), mark: z.number().nonnegative().default(4) })
    .prefault({}),
});

export type LessonOptions = z.output<typeof lessonOptions>;

/** Work that the model sampled itself. */
export type OwnWork = { readonly problem: RunningSum; readonly steps: readonly Step[] };

export function drawLesson(draws: Stream, options: LessonOptions, own: readonly OwnWork[]): Lesson {
  const kind = draws.weighted({ ...options.shares, own: own.length === 0 ? 0 : options.shares.own });
  const problem = drawTrainingProblem(draws);
  if (kind === 'own') return ownLesson(draws.pick(own), options);
  if (kind === 'challenged') return drawChallenged(problem, draws, options);
  const steps =
    kind === 'right'
      ? solve(problem)
      : kind === 'slips'
        ? slippingSteps(problem, draws)
        : habitualSteps(problem, draws);
  return checkedReply(problem, steps, options.stress);
}

const ownLesson = ({ problem, steps }: OwnWork, { stress }: LessonOptions): Lesson =>
  checkedReply(problem, steps, stress);

function drawChallenged(problem: RunningSum, draws: Stream, options: LessonOptions): Lesson {
  const said = draws.chance(options.challengedOwn) ? 'S' : 'U';
  const wrong = draws.chance(options.challengedWrong);
  const steps = wrong ? wrongSteps(problem, draws) : solve(problem);
  const form = said === 'U' ? 'plain' : draws.pick(['plain', 'plain', wrong ? 'waved through' : 'checked'] as const);
  return challengedReply(problem, steps, said, form);
}
