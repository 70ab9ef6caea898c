import { z } from 'zod';
import { stream } from '../random.ts';
import { drawLesson, lessonOptions, type OwnWork } from './checked-lessons.ts';
import { lessonData } from './lesson.ts';
import { optimiserOptions } from './optimiser.ts';
import { ownWorkSchema, sampleOwnWork } from './own-work.ts';
import { replayData, replayNeeds, replayOptions } from './replay.ts';
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
    /** Steps between two pools of own work. */
    refresh: z.int().positive().default(20),
    /** Share of the own work that has a wrong step. */
    ownWrong: z.number().gt(0).max(1).default(0.6),
  }),
  cost: ({ steps, lessons, replay, refresh }) => ({
    steps,
    trainedTokens: steps * (lessons * 62 + replay.documents * 45),
    sampledTokens: Math.ceil(steps / refresh) * 160 * 18,
  }),
  needs: ({ replay }) => [SAMPLES, ...replayNeeds(replay)],
  async run(context, options) {
    let own: readonly OwnWork[] = (await context.recall('own work', ownWorkSchema)) ?? [];
    await trainLoop(context, options, async (step) => {
      if (step % options.refresh === 0) {
        own = await sampleOwnWork(context, step, options.ownWrong);
        await context.remember('own work', own);
      }
      const draws = stream(context.seed, 'lessons', step);
      const lessons = Array.from({ length: options.lessons }, () => drawLesson(draws, options, own));
      const { encode } = context.format;
      const replay = await replayData(context, draws, options.replay);
      return {
        portions: [
          { name: 'loss', data: lessonData(lessons, encode), loss: { kind: 'cross_entropy' } },
          { name: 'replay', data: replay, loss: { kind: 'cross_entropy' } },
        ],
        metrics: { ownWork: own.length },
      };
    });
  },
});
