import type { Datum, TokenIds } from '../engine/engine.ts';

/**
 * A stretch of a training text. `targets` is what the model is asked for where that is not the text itself: to un-teach
 * an error, the text holds it and the target is what would have been right.
 */
export type Piece = { readonly text: string; readonly weight: number; readonly targets?: string };

/** A training text with its loss weights, token-exact. */
export type Lesson = readonly Piece[];

type Encode = (text: string) => TokenIds;

/** @throws RangeError when the tokenizer does not give a piece and its targets the same number of tokens. */
export function lessonDatum(
  lesson: Lesson,
  encode: Encode,
): Required<Pick<Datum, 'input' | 'weights'>> & { targets: TokenIds } {
  const tokens: number[] = [];
  const targets: number[] = [];
  const weights: number[] = [];
  for (const piece of lesson) {
    const read = encode(piece.text);
    const wanted = piece.targets === undefined ? read : encode(piece.targets);
    if (read.length !== wanted.length) throw new RangeError(`"${piece.text}" and its targets differ in length`);
    tokens.push(...read);
    targets.push(...wanted);
    weights.push(...read.map(() => piece.weight));
  }
  return { input: tokens.slice(0, -1), targets: targets.slice(1), weights: weights.slice(1) };
}

/** Data whose cross entropies add up to `share` times their weighted mean: losses are sums, learning rates want means. */
export function lessonData(lessons: readonly Lesson[], encode: Encode, share = 1): Datum[] {
  const data = lessons.map((lesson) => lessonDatum(lesson, encode));
  const total = data.reduce((sum, { weights }) => sum + weights.reduce((a, b) => a + b, 0), 0);
  return data.map((datum) => ({ ...datum, weights: datum.weights.map((weight) => (share * weight) / total) }));
}
