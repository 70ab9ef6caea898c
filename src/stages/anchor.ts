import { z } from 'zod';
import type { Datum, TokenIds } from '../engine/engine.ts';
import type { Stream } from '../random.ts';
import { drawLesson, lessonOptions, type OwnWork } from './checked-lessons.ts';
import { lessonData } from './lesson.ts';

/** Supervised lessons that go on beside another remedy, so that it does not undo what was learnt before it. */
export const anchorOptions = z.strictObject({
  ...lessonOptions.shape,
  lessons: z.int().nonnegative().default(20),
  /** Of their mean loss per token, against the remedy's own. */
  weight: z.number().nonnegative().default(0.5),
});

export type AnchorOptions = z.output<typeof anchorOptions>;

export function anchorData(
  draws: Stream,
  options: AnchorOptions,
  encode: (text: string) => TokenIds,
  own: readonly OwnWork[] = [],
): Datum[] {
  const lessons = Array.from({ length: options.lessons }, () => drawLesson(draws, options, own));
  return lessonData(lessons, encode, options.weight);
}
