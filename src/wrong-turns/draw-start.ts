import type { TokenIds } from '../engine/engine.ts';
import { type Manner, type ProblemFamily, RIGHT, type WorkedStep } from '../problems/problem-family.ts';
import type { Stream } from '../random.ts';
import { repeatedStep } from './repeated-step.ts';
import { roleSwap } from './role-swap.ts';
import { openStart, type Start } from './start.ts';
import { habit, oneSlip, rightWork, slips } from './wrong-work.ts';

/** @file Starts on the training side of the split: the wrong turns that probes measure, drawn to learn from. */

/** Work that the model sampled itself: a complete first pass and, in one piece with its prompt, its tokens. */
export type OwnWork<Problem = unknown> = {
  readonly problem: Problem;
  readonly steps: readonly WorkedStep[];
  /** Of each step, the end of its tokens. */
  readonly ends: readonly number[];
  readonly tokens: TokenIds;
};

/** A family that can be trained on. */
export type TrainingFamily<Problem = unknown> = ProblemFamily<Problem> &
  Required<Pick<ProblemFamily<Problem>, 'drawTraining'>>;

/** The kinds of whole work that a lesson is made of. */
export const WORK = {
  right: (): Plan => () => RIGHT,
  slips: (family: TrainingFamily, draws: Stream) => trainingSlips(family, draws),
  habit: (family: TrainingFamily, draws: Stream, length: number) => trainingHabit(family, draws, length),
} as const;

export type WorkKind = keyof typeof WORK;

const START_KIND = { right: 'right', slips: 'slip', habit: 'misconception' } as const;

type Plan = (position: number) => Manner;

/** Work with slips at a rate of its own, from rare to all. */
function trainingSlips(family: TrainingFamily, draws: Stream): Plan {
  const rate = 0.15 + 0.85 * draws.uniform();
  return slips(family, draws, rate, family.trainingSlips);
}

/** Work with a habit over a run of steps. */
function trainingHabit(family: TrainingFamily, draws: Stream, steps: number): Plan {
  const length = 1 + draws.integer(steps);
  const from = draws.chance(0.5) ? 0 : draws.integer(steps - length + 1);
  return habit(family, draws, { from, to: from + length });
}

/** Whole work of a kind, behind the problem in one piece or, in this share of the cases, in several. */
export function drawWork(family: TrainingFamily, draws: Stream, kind: WorkKind, joined: number): Start<unknown> {
  const problem = family.drawTraining(draws);
  const prompt = drawPrompt(family, draws, problem, joined);
  const steps = family.work(problem, WORK[kind](family, draws, family.length(problem)), draws);
  return openStart(family, problem, steps, START_KIND[kind], prompt);
}

function drawPrompt(family: TrainingFamily, draws: Stream, problem: unknown, joined: number): string {
  return draws.chance(joined) ? family.shards(problem, draws).joined : family.prompt(problem);
}

/** Work that is wrong in the end: slips or, where the family has them, a habit. */
export function drawWrongWork(family: TrainingFamily, draws: Stream, problem: unknown): readonly WorkedStep[] {
  for (;;) {
    const kind = draws.chance(0.5) || family.misconceptions.length === 0 ? 'slips' : 'habit';
    const steps = family.work(problem, WORK[kind](family, draws, family.length(problem)), draws);
    if (!family.read(problem, family.reply(steps)).answerRight) return steps;
  }
}

/** A whole solution whose last step stands there several times, and the same with the step there once. */
export function drawRepeated(family: TrainingFamily, draws: Stream, joined: number) {
  const problem = family.drawTraining(draws);
  const prompt = drawPrompt(family, draws, problem, joined);
  const count = 1 + draws.integer(family.length(problem));
  const copies = 2 + draws.integer(6);
  return repeatedStep(family, problem, rightWork(family, problem, draws, count), copies, prompt);
}

/** Of the challenged answers: the share in the model's own turn, and the share that is wrong. */
export type ChallengeShares = {
  readonly own: number;
  readonly wrong: number;
  /** Of the own answers, the share that stands there with a check that calls every step right. */
  readonly waved: number;
};

/** A worked answer, the model's or the user's, and a challenge in a wording that is not held out. */
export function drawChallenged(
  family: TrainingFamily,
  draws: Stream,
  shares: ChallengeShares,
  own: readonly OwnWork[] = [],
): Start<unknown> {
  const side = draws.chance(shares.own) ? 'treated' : 'control';
  const wrong = draws.chance(shares.wrong);
  const sampled = pickOwnAnswer(family, draws, wrong, own);
  const problem = sampled?.problem ?? family.drawTraining(draws);
  const steps = sampled?.steps ?? drawAnswer(family, draws, problem, wrong);
  const waved = side === 'treated' && draws.chance(shares.waved);
  const said = waved ? family.wavedThrough(steps) : family.reply(steps);
  const pair = roleSwap(family, problem, said, drawWording(family, draws), wrong ? 'slip' : 'right');
  return { ...pair[side], written: steps };
}

function drawAnswer(family: TrainingFamily, draws: Stream, problem: unknown, wrong: boolean): readonly WorkedStep[] {
  return wrong ? drawWrongWork(family, draws, problem) : rightWork(family, problem, draws);
}

/** Whether there is a wrong answer to challenge: one can be made, or the model gave some itself. */
export function hasWrongAnswers(family: TrainingFamily, own: readonly OwnWork[]): boolean {
  return family.slips.length > 0 || own.some(({ steps }) => steps.some(({ right }) => !right));
}

/** Where steps cannot be verified, made errors are poor ones: the model's own answers are challenged, once it gave some. */
function pickOwnAnswer(
  family: TrainingFamily,
  draws: Stream,
  wrong: boolean,
  own: readonly OwnWork[],
): OwnWork | undefined {
  if (family.check !== undefined) return undefined;
  const fitting = own.filter(({ steps }) => steps.some(({ right }) => !right) === wrong);
  return fitting.length === 0 ? undefined : draws.pick(fitting);
}

export function drawWording(family: TrainingFamily, draws: Stream): string {
  const trained = family.challenges?.filter(({ kind, heldOut }) => kind === 'check' && !heldOut) ?? [];
  return trained.length === 0 ? family.challenge : draws.pick(trained).text;
}

/** Own work, whole. */
export function ownStart(family: TrainingFamily, { problem, steps, tokens }: OwnWork): Start<unknown> {
  return { ...openStart(family, problem, steps, 'own'), sampled: tokens };
}

/** Own work up to and with its first wrong step. */
export function ownErrorStart(family: TrainingFamily, own: OwnWork): Start<unknown> {
  const wrong = own.steps.findIndex(({ right }) => !right);
  if (wrong < 0) return ownStart(family, own);
  const sampled = own.tokens.slice(0, own.ends[wrong]);
  return { ...openStart(family, own.problem, own.steps.slice(0, wrong + 1), 'own'), sampled };
}

/** Shares of the starts of rollouts. */
export type StartShares = {
  readonly clean: number;
  readonly oneSlip: number;
  readonly habitOrSlips: number;
  readonly ownError: number;
  readonly rightPrefix: number;
  readonly challenged: number;
};

/** A start of a rollout: nothing written yet, a part of the work, or a challenge. */
export function drawStart(
  family: TrainingFamily,
  draws: Stream,
  shares: StartShares,
  own: readonly OwnWork[],
  challenge: ChallengeShares,
): Start<unknown> {
  const kind = draws.weighted({ ...shares, ownError: own.length === 0 ? 0 : shares.ownError });
  if (kind === 'ownError') return ownErrorStart(family, draws.pick(own));
  if (kind === 'challenged') return drawChallenged(family, draws, challenge, own);
  const problem = family.drawTraining(draws);
  if (kind === 'clean') return openStart(family, problem, [], 'clean');
  return drawPrefix(family, draws, problem, kind);
}

function drawPrefix(
  family: TrainingFamily,
  draws: Stream,
  problem: unknown,
  kind: 'oneSlip' | 'habitOrSlips' | 'rightPrefix',
): Start<unknown> {
  const steps = family.length(problem);
  const length = 1 + draws.integer(steps);
  if (kind === 'rightPrefix') return openStart(family, problem, rightWork(family, problem, draws, length), 'right');
  const whole = kind === 'habitOrSlips' ? draws.pick(['habit', 'slips'] as const) : undefined;
  const plan = whole ? WORK[whole](family, draws, steps) : oneSlip(family, draws.integer(length), draws);
  const written = family.work(problem, plan, draws, length);
  return openStart(family, problem, written, whole ? START_KIND[whole] : 'slip');
}
