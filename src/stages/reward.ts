import { z } from 'zod';
import type { Grade } from '../wrong-turns/grade.ts';

/** What it costs, against 1 for a right answer. */
export const priceSchema = z.strictObject({
  /** Any right step called wrong. */
  falseAlarm: z.number().nonnegative().max(1000).default(0.5),
  /** Any wrong step called right, or not checked at all. */
  miss: z.number().nonnegative().max(1000).default(0.5),
  /** Each wrong step of its own doing, up to two. */
  wrongStep: z.number().nonnegative().max(1000).default(0.1),
});

export type Price = z.output<typeof priceSchema>;

/** Wrong steps beyond this many cost no more: the answer is lost by then. */
const MOST_WRONG_STEPS = 2;

/** Verifiable reward of what was written behind a start; a reply that did not come to its end has none. */
export function reward({ answerRight, falseAlarm, miss, newWrongSteps }: Grade, price: Price, ended: boolean): number {
  if (!ended) return 0;
  return (
    Number(answerRight) -
    price.falseAlarm * Number(falseAlarm) -
    price.miss * Number(miss) -
    price.wrongStep * Math.min(MOST_WRONG_STEPS, newWrongSteps)
  );
}
