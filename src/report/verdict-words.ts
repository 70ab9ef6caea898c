import type { Direction } from '../results/units.ts';
import type { Verdict } from '../results/verdict.ts';

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
