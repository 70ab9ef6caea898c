import { z } from 'zod';
import type { Lesson, Span, TaughtTurn } from '../chat/lesson.ts';
import { InputError } from '../errors.ts';
import { RIGHT, type WantedText, type WorkedStep } from '../problems/problem-family.ts';
import type { Stream } from '../random.ts';
import {
  drawChallenged,
  drawRepeated,
  drawWork,
  hasWrongAnswers,
  type OwnWork,
  ownStart,
  type TrainingFamily,
} from '../wrong-turns/draw-start.ts';
import type { Start } from '../wrong-turns/start.ts';
import { asked } from '../wrong-turns/turns.ts';
import { wantedBehind } from '../wrong-turns/wanted.ts';
import { oneSlip } from '../wrong-turns/wrong-work.ts';

/**
 * @file The behaviour that is brought out, in any family's words: work, then the same work afresh with a mark behind each
 * step, then the answer of the fresh pass. The verdict comes after a derivation in text, so it compares written tokens.
 */

const share = (usual: number) => z.number().nonnegative().default(usual);

const part = (usual: number) => z.number().min(0).max(1).default(usual);

/** Shares of the lessons, and what the loss stresses in them. */
export const lessonOptions = z.strictObject({
  /** Lessons per step. */
  lessons: z.int().positive().max(100_000).default(44),
  shares: z
    .strictObject({
      challenged: share(0.22),
      right: share(0.2),
      slips: share(0.32),
      habit: share(0.26),
      shards: share(0.08),
      repeated: share(0),
      own: share(0),
    })
    .prefault({}),
  /** Share of the prompts that are told in pieces within one turn. */
  joined: z.number().min(0).max(1).default(0.25),
  /** Among the challenged: share in the assistant's own turn, share that is wrong; share of the own ones that a check waved through. */
  challenge: z.strictObject({ own: part(0.6), wrong: part(0.5), waved: part(1 / 3) }).prefault({}),
  /** Weights in the loss of what departs from the written work in the fresh one, and of verdicts. */
  stress: z.strictObject({ fresh: share(3), mark: share(4) }).prefault({}),
});

export type LessonOptions = z.output<typeof lessonOptions>;
type Shares = LessonOptions['shares'];
type Stress = LessonOptions['stress'];

/** One lesson of a kind that the family has, by its share. */
export function drawLesson(
  family: TrainingFamily,
  draws: Stream,
  options: LessonOptions,
  own: readonly OwnWork[],
): Lesson {
  const kind = draws.weighted(possibleShares(family, options.shares, own));
  if (kind === 'shards') return lessonInPieces(family, draws, options.stress);
  return lessonBehind(family, drawLessonStart(family, draws, kind, options, own), draws, options.stress);
}

function drawLessonStart(
  family: TrainingFamily,
  draws: Stream,
  kind: Exclude<keyof Shares, 'shards'>,
  { challenge, joined }: LessonOptions,
  own: readonly OwnWork[],
): Start<unknown> {
  if (kind === 'own') return ownStart(family, draws.pick(own));
  if (kind === 'challenged') return drawChallenged(family, draws, challenge, own);
  if (kind === 'repeated') return drawRepeated(family, draws, joined).treated;
  return drawWork(family, draws, kind, joined);
}

/**
 * The shares of the kinds that this family has: wrong open work is only taught with a check behind it.
 * @throws InputError where none of the kinds asked for is among them.
 */
export function possibleShares(family: TrainingFamily, shares: Shares, own: readonly OwnWork[]): Shares {
  const checked = (given: number, has = true) => (family.check !== undefined && has ? given : 0);
  const possible = {
    ...shares,
    slips: checked(shares.slips, family.slips.length > 0),
    habit: checked(shares.habit, family.misconceptions.length > 0),
    shards: checked(shares.shards, family.pieces !== undefined),
    repeated: checked(shares.repeated),
    own: checked(shares.own, own.length > 0),
    challenged: hasWrongAnswers(family, own) ? shares.challenged : 0,
  };
  if (Object.values(possible).some((one) => one > 0)) return possible;
  const kinds = Object.keys(shares).filter((kind) => shares[kind as keyof Shares] > 0); // its own keys
  throw new InputError(`${family.name}: has no lessons of the kinds ${kinds.join(', ')}; give "right" a share`);
}

/** What is wanted behind a start, and of the open work before it what is right where it stands. */
export function lessonBehind(family: TrainingFamily, start: Start<unknown>, draws: Stream, stress: Stress): Lesson {
  const { conversation, written, challenged, kind, sampled } = start;
  const wanted = wantedBehind(family, start, draws);
  if (wanted === undefined) throw new InputError(`${family.name}: says nothing of what is wanted behind a ${kind}`);
  const spans = wanted.map((part) => wantedSpan(part, stress));
  const last = conversation.at(-1);
  if (challenged || last?.role !== 'assistant') return [...conversation, { spans, end: 1 }];
  const before = conversation.slice(0, -1);
  if (kind === 'repeated') return [...before, { spans: [{ text: last.text, weight: 0 }, ...spans] }];
  const turn: TaughtTurn = { spans: [...written.flatMap(writtenSpans), ...spans], end: 1 };
  return [...before, sampled === undefined ? turn : { ...turn, sampled }];
}

function wantedSpan({ text, stress: which }: WantedText, stress: Stress): Span {
  return { text, weight: which === undefined ? 1 : stress[which] };
}

/** Of a wrong step only what is right in its place is asked for. */
function writtenSpans({ text, parts, locallyRight }: WorkedStep): Span[] {
  if (parts === undefined) return [{ text, weight: locallyRight ? 1 : 0 }];
  return parts.map((part) => ({ ...part, weight: 1 }));
}

/** The problem piece by piece: each piece is worked, now and then with a slip, and checked. */
function lessonInPieces(family: TrainingFamily, draws: Stream, stress: Stress): Lesson {
  const { check, pieces } = family;
  if (check === undefined || pieces === undefined) throw new InputError(`${family.name}: has no form for pieces`);
  const problem = family.drawTraining(draws);
  return pieces.call(family, problem, draws).flatMap((piece): Lesson => {
    const fresh = piece.work(() => RIGHT, draws);
    const slip = draws.chance(0.5);
    const written = piece.work(slip ? oneSlip(family, draws.integer(piece.length), draws) : () => RIGHT, draws);
    const spans = check.call(family, piece.problem, written, fresh).map((part) => wantedSpan(part, stress));
    return [asked(piece.asked), { spans: [...written.flatMap(writtenSpans), ...spans], end: 1 }];
  });
}
