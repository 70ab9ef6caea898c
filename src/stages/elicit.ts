import { z } from 'zod';
import { lessonData } from '../chat/lesson.ts';
import { stream } from '../random.ts';
import { drawLesson, lessonOptions } from './lessons.ts';
import { optimiserOptions } from './optimiser.ts';
import { openReplay, replayCost, replayNeeds, replayOptions } from './replay.ts';
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
  cost: ({ steps, lessons, replay }, sizes) => ({
    steps,
    trainedTokens: steps * (lessons * sizes.lesson + replayCost(replay, sizes)),
    sampledTokens: 0,
  }),
  needs: ({ replay }) => replayNeeds(replay),
  async run(context, options) {
    const replay = await openReplay(context, options.replay);
    await trainLoop(context, options, async (step) => {
      const draws = stream(context.seed, 'lessons', step);
      const lessons = Array.from({ length: options.lessons }, () => drawLesson(context.family, draws, options, []));
      return {
        portions: [
          { name: 'loss', data: lessonData(lessons, context.format), loss: { kind: 'cross_entropy' } },
          { name: 'replay', data: await replay(draws, step), loss: { kind: 'cross_entropy' } },
        ],
      };
    });
  },
});
