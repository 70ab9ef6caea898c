import type { Interval } from '../stats/interval.ts';
import type { ProbeRow } from './results.ts';
import type { Direction } from './units.ts';

/** What a change amounts to: `held` and `moved` are for numbers that should stay where they were. */
export type Verdict = 'better' | 'worse' | 'unclear' | 'held' | 'moved';

/** Read from the interval of the change: whatever it does not exclude is not claimed. */
export function verdict(direction: Direction, change: Interval): Verdict {
  const moved = change.low > 0 || change.high < 0;
  if (direction === 'hold') return moved ? 'moved' : 'held';
  if (!moved) return 'unclear';
  return change.low > 0 === (direction === 'up') ? 'better' : 'worse';
}

/** Undefined where a row has no change: one model measured. */
export function rowVerdict({ direction, change }: ProbeRow): Verdict | undefined {
  return change && verdict(direction, change);
}
