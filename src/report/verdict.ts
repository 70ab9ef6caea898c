import type { Direction } from '../results/metrics.ts';
import type { ProbeRow } from '../results/results.ts';
import type { Interval } from '../stats/interval.ts';

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

/** In words, for tables. */
export const verdictWords: Readonly<Record<Verdict, string>> = {
  better: 'better',
  worse: 'worse',
  unclear: 'unclear',
  held: 'held',
  moved: 'moved',
};

/** What the signs and words of a table mean. */
export const tableKey =
  '↑ more is better, ↓ less is better, = should stay; unclear: the interval of the change holds zero';

/** The way that is good, for tables. */
export const directionArrows: Readonly<Record<Direction, string>> = { up: '↑', down: '↓', hold: '=' };
