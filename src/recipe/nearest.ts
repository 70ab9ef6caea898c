import { closest, distance } from 'fastest-levenshtein';

/** `; did you mean "steps"?`, or the choices where nothing is near. */
export function nearest(word: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const candidate = closest(word, known);
  const near = distance(word, candidate) <= Math.max(2, Math.floor(candidate.length / 2));
  return near ? `; did you mean "${candidate}"?` : `; known are ${known.join(', ')}`;
}
