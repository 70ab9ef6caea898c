/** What is left of a continuation after its stop strings. */
export type Cut = {
  readonly text: string;
  /** Tokens of which at least a part is in `text`. */
  readonly kept: number;
  /** Tokens that were needed to see the stop string; all where there is none. */
  readonly used: number;
  readonly stopped: boolean;
};

/** Cuts before the first stop string to be complete, wherever the borders of tokens lie. @param pieces text by token. */
export function cutAtStop(pieces: readonly string[], stops: readonly string[]): Cut {
  const text = pieces.join('');
  const found = stops.map((stop) => ({ start: text.indexOf(stop), length: stop.length })).filter(({ start }) => start >= 0);
  if (found.length === 0) return { text, kept: pieces.length, used: pieces.length, stopped: false };
  const end = Math.min(...found.map(({ start, length }) => start + length));
  const start = Math.min(...found.filter((one) => one.start + one.length === end).map((one) => one.start));
  return {
    text: text.slice(0, start),
    kept: tokensBefore(pieces, start),
    used: tokensBefore(pieces, end),
    stopped: true,
  };
} // biome-ignore format: one thought

/** Tokens that begin before this place of the text. */
function tokensBefore(pieces: readonly string[], place: number): number {
  let at = 0;
  let count = 0;
  for (const piece of pieces) {
    if (at >= place) break;
    at += piece.length;
    count++;
  }
  return count;
}
