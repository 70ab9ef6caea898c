import { z } from 'zod';
import { lessonData } from '../chat/lesson.ts';
import { stream } from '../random.ts';
import { drawLesson, lessonOptions } from './lessons.ts';
import { optimiserOptions } from './optimiser.ts';
import { openOwnWork, poolCost, poolOptions } from './own-work.ts';
import { openReplay, replayCost, replayNeeds, replayOptions } from './replay.ts';
import { defineStage, SAMPLES } from './stage.ts';
import { trainLoop } from './train-loop.ts';

/**
 * Verify: balanced verdicts on the model's own sampled steps. The first pass is the model's own sample, right or
 * wrong; the check behind it is asked to be right. The pool of own work is drawn anew as the model changes.
 */
export const verify = defineStage({
  name: 'verify',
  summary: 'balanced verdicts on the steps that the model samples itself',
  options: z.strictObject({
    ...optimiserOptions,
    ...lessonOptions.shape,
    replay: replayOptions.prefault({}),
    ...poolOptions,
    /** Share of the own work that has a wrong step. */
    ownWrong: z.number().gt(0).max(1).default(0.6),
  }),
  cost: ({ steps, lessons, replay, ...pool }, sizes) => ({
    steps,
    trainedTokens: steps * (lessons * sizes.lesson + replayCost(replay, sizes)),
    sampledTokens: poolCost(steps, pool, sizes),
  }),
  needs: ({ replay }) => [SAMPLES, ...replayNeeds(replay)],
  async run(context, options) {
    const replay = await openReplay(context, options.replay);
    const ownWork = openOwnWork(context, options, options.ownWrong);
    await trainLoop(context, options, async (step) => {
      const own = await ownWork(step);
      const draws = stream(context.seed, 'lessons', step);
      const lessons = Array.from({ length: options.lessons }, () => drawLesson(context.family, draws, options, own));
      return {
        portions: [
          { name: 'loss', data: lessonData(lessons, context.format), loss: { kind: 'cross_entropy' } },
          { name: 'replay', data: await replay(draws, step), loss: { kind: 'cross_entropy' } },
        ],
        metrics: { ownWork: own.length },
      };
    });
  },
});
