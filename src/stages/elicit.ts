import { z } from 'zod';
import { stream } from '../random.ts';
import { drawLesson, lessonOptions } from './checked-lessons.ts';
import { lessonData } from './lesson.ts';
import { optimiserOptions } from './optimiser.ts';
import { replayData, replayNeeds, replayOptions } from './replay.ts';
import { defineStage } from './stage.ts';
import { trainLoop } from './train-loop.ts';

/**
 * Elicit: supervised learning of a behaviour that the base model has for other people's work only. Constructed work,
 * right and wrong, is checked step by step; wrong steps stand in the context but are never asked for.
 */
export const elicit = defineStage({
  name: 'elicit',
  summary: 'brings out the check on own work, on constructed errors',
  options: z.strictObject({ ...optimiserOptions, ...lessonOptions.shape, replay: replayOptions.prefault({}) }),
  cost: ({ steps, lessons, replay }) => ({
    steps,
    trainedTokens: steps * (lessons * 62 + replay.documents * 45),
    sampledTokens: 0,
  }),
  needs: ({ replay }) => replayNeeds(replay),
  run: (context, options) =>
    trainLoop(context, options, async (step) => {
      const draws = stream(context.seed, 'lessons', step);
      const lessons = Array.from({ length: options.lessons }, () => drawLesson(draws, options, []));
      const { encode } = context.format;
      const replay = await replayData(context, draws, options.replay);
      return {
        portions: [
          { name: 'loss', data: lessonData(lessons, encode), loss: { kind: 'cross_entropy' } },
          { name: 'replay', data: replay, loss: { kind: 'cross_entropy' } },
        ],
      };
    }),
});
