import { z } from 'zod';
import { cutList, repeatStep } from '../problems/organism-text.ts';
import {
  answerOf,
  careful,
  dictionaryText,
  drawOverride,
  drawSlip,
  promptText,
  type RunningSum,
  type Step,
  solve,
  stepText,
  workSteps,
} from '../problems/running-sum.ts';
import type { Stream } from '../random.ts';
import {
  asks,
  challengedReply,
  checkedTurn,
  drawChallenge,
  drawTrainingProblem,
  habitualSteps,
  type Stress,
  slippingSteps,
} from './checked-reply.ts';
import type { Lesson, Piece } from './lesson.ts';

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
      shards: z.number().nonnegative().default(0.08),
      repeated: z.number().nonnegative().default(0),
      own: z.number().nonnegative().default(0),
    })
    .prefault({}),
  /** Share of the prompts whose list comes in pieces within one turn. */
  joined: z.number().min(0).max(1).default(0.25),
  /** Among the challenged: share that stands in the assistant's own turn, share that is wrong. */
  challenge: z
    .strictObject({ own: z.number().min(0).max(1).default(0.6), wrong: z.number().min(0).max(1).default(0.5) })
    .prefault({}),
  /** Weights in the loss of what parts from the written work in the fresh one, and of verdicts. */
  stress: z
    .strictObject({ fresh: z.number().nonnegative().default(3), mark: z.number().nonnegative().default(4) })
    .prefault({}),
});

export type LessonOptions = z.output<typeof lessonOptions>;

/** Work that the model sampled itself. */
export type OwnWork = { readonly problem: RunningSum; readonly steps: readonly Step[] };

export function drawLesson(draws: Stream, options: LessonOptions, own: readonly OwnWork[]): Lesson {
  const kind = draws.weighted({ ...options.shares, own: own.length === 0 ? 0 : options.shares.own });
  const { challenge, stress } = options;
  if (kind === 'own') return ownLesson(draws.pick(own), stress);
  const problem = drawTrainingProblem(draws);
  if (kind === 'challenged') return challengedReply(drawChallenge(draws, problem, challenge), stress);
  if (kind === 'shards') return shardedLesson(draws, problem, stress);
  if (kind === 'repeated') return onFromRepetition(draws, problem, options);
  return [
    asks(drawPrompt(draws, problem, options.joined)),
    ...checkedTurn(problem, STEPS[kind](problem, draws), solve(problem), stress),
  ];
}

/** The problem in one turn, its list in one piece or in several. */
export function drawPrompt(draws: Stream, problem: RunningSum, joined: number): string {
  if (!draws.chance(joined)) return promptText(problem);
  return `${dictionaryText(problem)}|${cutList(draws, problem.list).join('+')}`;
}

const STEPS = { right: solve, slips: slippingSteps, habit: habitualSteps } as const;

function ownLesson({ problem, steps }: OwnWork, stress: Stress): Lesson {
  return [asks(promptText(problem)), ...checkedTurn(problem, steps, solve(problem), stress)];
}

/** A step stands there several times; asked for is the way on, and nothing else. */
function onFromRepetition(draws: Stream, problem: RunningSum, { joined, stress }: LessonOptions): Lesson {
  const { opening, at, copies } = drawRepetition(draws, problem, joined);
  const next = solve(problem)[at + 1];
  const on = next === undefined ? '~' : stepText(next);
  return [
    { text: opening + repeatStep(solve(problem).slice(0, at + 1), at, copies), weight: 0 },
    { text: on, weight: stress.fresh },
  ];
}

/** Where a solution sticks, and how often the last step stands there. */
export function drawRepetition(draws: Stream, problem: RunningSum, joined: number) {
  const opening = `U${drawPrompt(draws, problem, joined)}ES`;
  return { opening, at: draws.integer(problem.list.length), copies: 2 + draws.integer(6) };
}

/** Pieces that give one of their keys a new value. */
const OVERRIDE_SHARE = 0.4;

/** The problem piece by piece: each piece is worked and checked, from the sum that the last check ended at. */
function shardedLesson(draws: Stream, problem: RunningSum, stress: Stress): Lesson {
  const pieces: Piece[] = [];
  let current = problem;
  let start = 0;
  for (const list of cutList(draws, problem.list)) {
    const first = pieces.length === 0;
    const change = !first && draws.chance(OVERRIDE_SHARE) ? drawOverride(draws, current, list) : undefined;
    current = change?.problem ?? current;
    const fresh = workSteps(current, () => careful, { list, start });
    const slip = draws.chance(0.5) ? drawSlip(draws) : careful;
    const at = draws.integer(list.length);
    const written = workSteps(current, (position) => (position === at ? slip : careful), { list, start });
    pieces.push(asks(first ? `${dictionaryText(problem)}|${list}` : `${change?.text ?? ''}+${list}`));
    pieces.push(...checkedTurn(current, written, fresh, stress, start));
    start = answerOf(fresh);
  }
  return pieces;
}
