/** A span counts as looping when it stands this often in a row. */
const COPIES = 4;

/** All copies together; shorter ones are emphasis ("no, no, no, no"), unless whole lines come again. */
const SHORTEST_LOOP = 60;
const SHORTEST_SPAN = 3;
const LONGEST_SPAN = 1024;

/**
 * Whether free text has run into a loop: the same span at least four times in a row, 60 characters in all or going over
 * the end of a line (after the detector of Antidoom, Liquid AI 2026). Rules of dashes and empty lines are no loops: the
 * span has to hold a letter or a digit. A loop in other words each time is not seen. Takes time in proportion to text and
 * longest span.
 */
export function runsIntoLoop(text: string): boolean {
  const longest = Math.min(LONGEST_SPAN, Math.floor(text.length / COPIES));
  for (let span = SHORTEST_SPAN; span <= longest; span++) if (repeatsSpan(text, span)) return true;
  return false;
}

function repeatsSpan(text: string, span: number): boolean {
  let same = 0;
  for (let index = span; index < text.length; index++) {
    same = text.charCodeAt(index) === text.charCodeAt(index - span) ? same + 1 : 0;
    if (same < (COPIES - 1) * span) continue;
    const copy = text.slice(index - span, index);
    if (/[\p{L}\p{N}]/u.test(copy) && (same + span >= SHORTEST_LOOP || copy.includes('\n'))) return true;
  }
  return false;
}
