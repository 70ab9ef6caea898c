import { z } from 'zod';
import { InputError } from '../errors.ts';
import { hasWrongAnswers, type OwnWork, type StartShares, type TrainingFamily } from '../wrong-turns/draw-start.ts';

const share = (usual: number) => z.number().nonnegative().default(usual);

/** Shares of the starts of rollouts. Own errors must be among them: on-policy they become rare, and rare is unlearnt. */
export const startShares = z.strictObject({
  clean: share(4),
  oneSlip: share(2),
  habitOrSlips: share(2),
  ownError: share(2),
  rightPrefix: share(1),
  challenged: share(4),
});

/**
 * The shares of the starts that this family has: open work is only for families whose work has several steps.
 * @throws InputError where none of those asked for is among them.
 */
export function possibleStarts(family: TrainingFamily, shares: StartShares, own: readonly OwnWork[]): StartShares {
  const wrong = family.slips.length > 0;
  const stepwise = family.check !== undefined;
  const possible = {
    ...shares,
    oneSlip: stepwise && wrong ? shares.oneSlip : 0,
    habitOrSlips: stepwise && wrong ? shares.habitOrSlips : 0,
    ownError: stepwise ? shares.ownError : 0,
    rightPrefix: stepwise ? shares.rightPrefix : 0,
    challenged: hasWrongAnswers(family, own) ? shares.challenged : 0,
  };
  if (Object.values(possible).some((one) => one > 0)) return possible;
  throw new InputError(`${family.name}: none of the starts asked for can be drawn; give "clean" a share`);
}
