import { z } from 'zod';
import { type Lesson, lessonData } from '../chat/lesson.ts';
import { type Stream, stream } from '../random.ts';
import { drawWording, type TrainingFamily } from '../wrong-turns/draw-start.ts';
import { roleSwap } from '../wrong-turns/role-swap.ts';
import { asked } from '../wrong-turns/turns.ts';
import { rightWork } from '../wrong-turns/wrong-work.ts';
import { optimiserOptions } from './optimiser.ts';
import { openReplay, replayCost, replayNeeds, replayOptions } from './replay.ts';
import { defineStage } from './stage.ts';
import { trainLoop } from './train-loop.ts';

/**
 * Teach: supervised right work only, without wrong turns and without checks, for a model that cannot do the task yet. Only
 * a competent model can show the drive, so "before" is measured behind this stage, and the taught model is what later
 * stages keep to. A part of the lessons is a second turn, or "own right answer kept" would measure competence at second
 * turns.
 */
export const teach = defineStage({
  name: 'teach',
  summary: 'right work only, until the model is able; "before" is measured behind it',
  prepares: true,
  options: z.strictObject({
    ...optimiserOptions,
    /** Lessons per step. */
    lessons: z.int().positive().default(32),
    /** Share of the lessons in which right work is asked for a second time. */
    secondTurn: z.number().min(0).max(1).default(0.25),
    replay: replayOptions.prefault({}),
  }),
  cost: ({ steps, lessons, secondTurn, replay }, { prompt, work, replay: text }) => ({
    steps,
    trainedTokens: steps * (lessons * (prompt + (1 + secondTurn) * work) + replayCost(replay, { replay: text })),
    sampledTokens: 0,
  }),
  needs: ({ replay }) => replayNeeds(replay),
  async run(context, options) {
    const { family, format } = context;
    const replay = await openReplay(context, options.replay);
    await trainLoop(context, options, async (step) => {
      const draws = stream(context.seed, 'right work', step);
      const lessons = Array.from({ length: options.lessons }, () => drawRightWork(family, draws, options.secondTurn));
      return {
        portions: [
          { name: 'loss', data: lessonData(lessons, format), loss: { kind: 'cross_entropy' } },
          { name: 'replay', data: await replay(draws, step), loss: { kind: 'cross_entropy' } },
        ],
      };
    });
  },
});

function drawRightWork(family: TrainingFamily, draws: Stream, secondTurn: number): Lesson {
  const problem = family.drawTraining(draws);
  const text = family.reply(rightWork(family, problem, draws));
  const reply = { spans: [{ text, weight: 1 }], end: 1 };
  if (!draws.chance(secondTurn)) return [asked(family.prompt(problem)), reply];
  const pair = roleSwap(family, problem, text, drawWording(family, draws), 'right');
  return [...pair[draws.pick(['control', 'treated'] as const)].conversation, reply];
}
