/** A span of prose counts as looping when it stands this often in a row. */
const COPIES = 4;

/** All copies together; shorter ones are emphasis ("no, no, no, no"), unless whole lines come again. */
const SHORTEST_LOOP = 60;
const SHORTEST_SPAN = 3;
const LONGEST_SPAN = 1024;

/** What holds no letter and no digit is no part of a loop; more of it would only cost time. */
const LONGEST_BLANK = 64;
const BLANK = /[^\p{L}\p{N}]{64,}/gu;

/** Data and code repeat themselves rightly: they have to come this often, and never to end. */
const COPIES_OF_DATA = 32;

/**
 * Whether free text has run into a loop (after the detector of Antidoom, Liquid AI 2026): the same span of 3 to 1,024
 * characters in a row,
 * - of prose (two different words or more) at least 4 times, 60 characters in all or going over the end of a line;
 * - of anything else that holds a letter or a digit (rows of a table or a matrix, code, one word or number) at least 32
 *   times, up to the end of the text: a matrix of zeros ends, a loop does not.
 *
 * Rules of dashes and empty lines are no loops. A loop in other words each time is not seen. Takes time in proportion to
 * text and longest span at worst.
 */
export function runsIntoLoop(text: string): boolean {
  const short = text.replaceAll(BLANK, (blank) => blank.slice(0, LONGEST_BLANK));
  const longest = Math.min(LONGEST_SPAN, Math.floor(short.length / COPIES));
  for (let span = SHORTEST_SPAN; span <= longest; span++) if (repeatsSpan(short, span)) return true;
  return false;
}

/** Every run of copies covers a multiple of the span, so that these places alone have to be looked at. */
function repeatsSpan(text: string, span: number): boolean {
  for (let at = span; at < text.length; at += span) {
    if (text.charCodeAt(at) !== text.charCodeAt(at - span)) continue;
    const run = runAround(text, at, span);
    if (run.end - run.start >= (COPIES - 1) * span && isLoop(text, run, span)) return true;
    if (run.end > at) at = run.end - (run.end % span);
  }
  return false;
}

/** From `start` to `end`, every character is the one that stands a span before it. */
type Run = { readonly start: number; readonly end: number };

function runAround(text: string, at: number, span: number): Run {
  let [start, end] = [at, at + 1];
  while (start > span && text.charCodeAt(start - 1) === text.charCodeAt(start - 1 - span)) start--;
  while (end < text.length && text.charCodeAt(end) === text.charCodeAt(end - span)) end++;
  return { start, end };
}

function isLoop(text: string, { start, end }: Run, span: number): boolean {
  const copy = text.slice(start - span, start);
  if (!/[\p{L}\p{N}]/u.test(copy)) return false;
  const length = end - start + span;
  if (isProse(copy) && !inCode(text, start)) return length >= SHORTEST_LOOP || copy.includes('\n');
  return length >= COPIES_OF_DATA * span && end > text.length - span;
}

/** Two different words with a blank between them, in no cell of a table or a matrix. */
function isProse(copy: string): boolean {
  const words = copy.match(/[\p{L}\p{N}]+/gu) ?? [];
  const isCells = /[|&\t]/.test(copy);
  return (
    !isCells &&
    new Set(words).size > 1 &&
    words.some((word) => /\p{L}{2}/u.test(word)) &&
    /\S[^\S\n]+\S/.test(copy + copy)
  );
}

/** Behind an odd number of code fences. */
function inCode(text: string, at: number): boolean {
  return (text.slice(0, at).match(/^[ \t]*```/gm)?.length ?? 0) % 2 === 1;
}
