import { z } from 'zod';
import { stepsText } from '../problems/running-sum.ts';
import { runningSumFamily } from '../problems/running-sum-family.ts';
import type { Start } from './start.ts';

/** What it costs, against 1 for a right answer. */
export const priceSchema = z.strictObject({
  /** Any right step called wrong. */
  falseAlarm: z.number().nonnegative().default(0.5),
  /** Any wrong step called right, or not checked at all. */
  miss: z.number().nonnegative().default(0.5),
  /** Each wrong step of its own doing, up to two. */
  wrongStep: z.number().nonnegative().default(0.1),
});

export type Price = z.output<typeof priceSchema>;

/** Verifiable reward of what the model wrote behind a start, from the exact verifier alone. */
export function reward(start: Start, continuation: string, price: Price): number {
  if (!continuation.endsWith('E')) return 0;
  const before = start.written === undefined ? '' : stepsText(start.written);
  const reading = runningSumFamily.read(start.problem, before + continuation.slice(0, -1));
  const right = Number(reading.answerRight);
  if (start.written === undefined) return right;
  const { steps, marks } = reading;
  const falseAlarm = steps.some((step, at) => step.right && marks[at] === 'wrong');
  const miss = steps.some((step, at) => !step.right && marks[at] !== 'wrong');
  const ownWrong = steps.slice(start.written.length).filter((step) => !step.locallyRight).length;
  return (
    right - price.falseAlarm * Number(falseAlarm) - price.miss * Number(miss) - price.wrongStep * Math.min(2, ownWrong)
  );
}
