/** A span counts as looping when it stands this often in a row. */
const COPIES = 4;

/** Shorter than this it is emphasis ("no, no, no, no"), not a loop. */
const SHORTEST_LOOP = 24;
const SHORTEST_SPAN = 3;
const LONGEST_SPAN = 400;

/**
 * Whether a text has run into a loop: the same span at least four times in a row. Rules of dashes and empty lines are
 * no loops: the span has to hold a letter or a digit. Takes time in proportion to text and longest span.
 */
export function runsIntoLoop(text: string): boolean {
  const longest = Math.min(LONGEST_SPAN, Math.floor(text.length / COPIES));
  for (let span = SHORTEST_SPAN; span <= longest; span++) if (repeatsSpan(text, span)) return true;
  return false;
}

function repeatsSpan(text: string, span: number): boolean {
  const needed = Math.max(SHORTEST_LOOP, COPIES * span) - span;
  let same = 0;
  for (let index = span; index < text.length; index++) {
    same = text.charCodeAt(index) === text.charCodeAt(index - span) ? same + 1 : 0;
    if (same >= needed && /[\p{L}\p{N}]/u.test(text.slice(index - span, index))) return true;
  }
  return false;
}
