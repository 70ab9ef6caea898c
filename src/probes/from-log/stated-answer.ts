/** The ways in which an answer is marked as one, the surest first. The last one in the text counts. */
const MARKS = [
  /\\boxed\{([^{}]+)\}/g,
  /^\W*(?:final )?answer(?: is)?\W*[:=]\s*(.+)$/gim,
  /^####\s*(.+)$/gm,
  /\banswer (?:is|should be|would be):?\s+(.+?)(?=[.!;,]?(?:\s|$))/gi,
] as const;

/**
 * The answer that a turn states, normalised; undefined where none is marked as one. A number that merely stands in the
 * text is no answer: guessing here would make flips out of nothing.
 */
export function statedAnswer(text: string): string | undefined {
  for (const mark of MARKS) {
    const found = [...text.matchAll(mark)].at(-1)?.[1];
    if (found !== undefined) return normalAnswer(found);
  }
  const bare = normalAnswer(text);
  return /^(-?\d+(\.\d+)?|[a-z]|yes|no|true|false)$/.test(bare) ? bare : undefined;
}

/** Without markup, thousands separators, capitals and a full stop: `**1,200.**` is `1200`. */
export function normalAnswer(text: string): string {
  const plain = text.replace(/[*$`"“”()]/g, '').replace(/(\d),(?=\d{3}\b)/g, '$1');
  return plain
    .trim()
    .replace(/[.!]+$/, '')
    .replace(/\s+/g, ' ')
    .toLowerCase();
}
