import type { ProbeRow } from '../record/results.ts';

/** What a change amounts to: `held` and `moved` are for numbers that should stay where they were. */
export type Verdict = 'better' | 'worse' | 'unclear' | 'held' | 'moved';

/** Read from the interval of the change: whatever it does not exclude is not claimed. */
export function verdict(row: ProbeRow): Verdict | undefined {
  if (!row.change) return undefined;
  const { low, high } = row.change;
  const moved = low > 0 || high < 0;
  if (row.direction === 'hold') return moved ? 'moved' : 'held';
  if (!moved) return 'unclear';
  return low > 0 === (row.direction === 'up') ? 'better' : 'worse';
}

/** In words, for tables. */
export const verdictWords: Readonly<Record<Verdict, string>> = {
  better: 'better',
  worse: 'worse',
  unclear: 'no clear change',
  held: 'held',
  moved: 'moved',
};

/** The way that is good, for tables. */
export const directionArrows: Readonly<Record<ProbeRow['direction'], string>> = { up: '↑', down: '↓', hold: '=' };
