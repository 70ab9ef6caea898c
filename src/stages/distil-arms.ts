import { z } from 'zod';
import { InputError } from '../errors.ts';
import type { Stream } from '../random.ts';
import { drawRepeated, drawWording, drawWrongWork, type TrainingFamily } from '../wrong-turns/draw-start.ts';
import { roleSwap } from '../wrong-turns/role-swap.ts';
import { openStart, type Start } from '../wrong-turns/start.ts';
import { toldInPieces } from '../wrong-turns/told-in-pieces.ts';
import { habit, slips } from '../wrong-turns/wrong-work.ts';

const share = z.number().nonnegative().default(0);

/**
 * Pairs of which both sides want the same continuation:
 * - `excuse`: own wrong steps, against a problem in which the very same steps are right,
 * - `role`: own wrong work, challenged, against the same work as the user's,
 * - `pieces`: a problem told in pieces within one turn, against the same told at once,
 * - `copies`: a step that stands there several times, against once.
 */
export const armShares = z
  .strictObject({ excuse: share, role: share, pieces: share, copies: share })
  .refine((arms) => Object.values(arms).some((one) => one > 0), 'at least one arm needs a share');

export type Arm = keyof z.output<typeof armShares>;
export type ArmShares = z.output<typeof armShares>;

/**
 * The arms that a family has.
 * @throws InputError where none of those asked for is among them.
 */
export function possibleArms(family: TrainingFamily, arms: ArmShares): ArmShares {
  const wrong = family.slips.length > 0;
  const possible = {
    excuse: wrong && family.excuse !== undefined ? arms.excuse : 0,
    role: wrong ? arms.role : 0,
    pieces: arms.pieces,
    copies: family.check === undefined ? 0 : arms.copies, // work in steps
  };
  if (Object.values(possible).some((share) => share > 0)) return possible;
  throw new InputError(`${family.name}: has none of the arms that distil is asked for; give "pieces" a share`);
}

export const leftOut = (asked: ArmShares, possible: ArmShares): string[] =>
  Object.entries(asked).flatMap(([arm, share]) => (share > 0 && possible[arm as Arm] === 0 ? [arm] : [])); // its own keys

/** A pair to learn from; `stepsLeft`: only so many steps have to agree, what follows them need not. */
export type Twin = {
  readonly treated: Start<unknown>;
  readonly control: Start<unknown>;
  readonly stepsLeft?: number;
};

export function drawTwin(family: TrainingFamily, draws: Stream, arms: Readonly<Record<Arm, number>>): Twin {
  return TWINS[draws.weighted(arms)](family, draws);
}

const TWINS: Readonly<Record<Arm, (family: TrainingFamily, draws: Stream) => Twin>> = {
  excuse: drawExcused,
  role(family, draws) {
    const problem = family.drawTraining(draws);
    const said = family.reply(drawWrongWork(family, draws, problem));
    return roleSwap(family, problem, said, drawWording(family, draws));
  },
  pieces: (family, draws) => toldInPieces(family, family.drawTraining(draws), draws),
  copies: (family, draws) => drawRepeated(family, draws, 0),
};

/** Tries before a family counts as one that finds no excuse. */
const TRIES = 50;

function drawExcused(family: TrainingFamily, draws: Stream): Twin {
  for (let tries = 0; tries < TRIES; tries++) {
    const problem = family.drawTraining(draws);
    const dose = 1 + draws.integer(Math.max(1, family.length(problem) - 1));
    const habitual = draws.chance(0.5) && family.misconceptions.length > 0;
    const plan = habitual ? habit(family, draws) : slips(family, draws);
    const treated = openStart(family, problem, family.work(problem, plan, draws, dose), habitual ? 'misconception' : 'slip');
    const excused = family.excuse?.(problem, treated.written);
    if (excused === undefined) continue;
    const control = openStart(family, excused.problem, excused.written, 'right');
    return { treated, control, stepsLeft: family.length(problem) - dose };
  }
  throw new InputError(`${family.name}: has no problem in which wrong steps would be right; leave out distil's arm "excuse"`);
} // biome-ignore format: one line a statement
