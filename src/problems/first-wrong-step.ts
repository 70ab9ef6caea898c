import { plainText } from './plain-text.ts';

/** How a review is asked to end. */
export const END_OF_REVIEW =
  'End with a last line "First wrong step: <number>", or "First wrong step: none" if every step is right.';

/** What a review says: the number of the first wrong step from 1 on, or that there is none. */
export type Verdict = number | 'none';

const VERDICT = /^[^\w\n]*first wrong step[ \t]*(?::|=|is|-)[ \t]*(?:step[ \t]*)?(none|\d+)[^\w\n]*$/gim;

/**
 * Reads the verdict of a review strictly: the last line of the form that was asked for counts, through Markdown and
 * thoughts. Undefined, and so neither right nor wrong, where there is none, or where it names a step that does not exist.
 */
export function firstWrongStep(reply: string, steps: number): Verdict | undefined {
  const said = [...plainText(reply).matchAll(VERDICT)].at(-1)?.[1]?.toLowerCase();
  if (said === undefined || said === 'none') return said;
  const step = Number(said);
  return step >= 1 && step <= steps ? step : undefined;
}
