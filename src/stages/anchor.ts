import { z } from 'zod';
import { lessonData } from '../chat/lesson.ts';
import type { Datum } from '../engine/engine.ts';
import type { Stream } from '../random.ts';
import type { OwnWork } from '../wrong-turns/draw-start.ts';
import { drawLesson, lessonOptions } from './lessons.ts';
import type { StageContext } from './stage.ts';

/** Supervised lessons that go on beside another remedy, so that it does not undo what was learnt before it. */
export const anchorOptions = z.strictObject({
  ...lessonOptions.shape,
  lessons: z.int().nonnegative().max(100_000).default(20),
  /** Of their mean loss per token, against the remedy's own. */
  weight: z.number().nonnegative().max(1000).default(0.5),
});

export type AnchorOptions = z.output<typeof anchorOptions>;

export function anchorData(
  { family, format }: StageContext,
  draws: Stream,
  options: AnchorOptions,
  own: readonly OwnWork[] = [],
): Datum[] {
  const lessons = Array.from({ length: options.lessons }, () => drawLesson(family, draws, options, own));
  return lessonData(lessons, format, options.weight);
}
