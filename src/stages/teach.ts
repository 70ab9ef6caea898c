import { z } from 'zod';
import { type Lesson, lessonData, startTokens } from '../chat/lesson.ts';
import { type Stream, stream } from '../random.ts';
import { drawWording, type TrainingFamily } from '../wrong-turns/draw-start.ts';
import { roleSwap } from '../wrong-turns/role-swap.ts';
import { asked } from '../wrong-turns/turns.ts';
import { rightWork } from '../wrong-turns/wrong-work.ts';
import { optimiserOptions } from './optimiser.ts';
import { openReplay, replayCost, replayNeeds, replayOptions } from './replay.ts';
import { defineStage, type StageContext } from './stage.ts';
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
    /** Ends the stage where the model solves this share of training problems greedily; absent: after its last step. */
    until: z.number().gt(0).max(1).optional(),
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
      if (options.until !== undefined && (await isAble(context, step, options.until))) return undefined;
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

/** Steps between two looks at what the model can do, and problems looked at. */
const LOOK_EVERY = 20;
const LOOKED_AT = 48;

async function isAble(context: StageContext, step: number, share: number): Promise<boolean> {
  if (step === 0 || step % LOOK_EVERY !== 0) return false;
  const { family, format } = context;
  context.doing('looks at what the model can do');
  const draws = stream(context.seed, 'looked at', step);
  const problems = Array.from({ length: LOOKED_AT }, () => family.drawTraining(draws));
  const prompts = problems.map((problem) => startTokens([asked(family.prompt(problem))], format));
  const how = { maxTokens: family.replyTokens, temperature: 0, seed: step, samples: 1, stop: format.stop };
  const replies = await (await context.policy.sampler()).sample(prompts, { ...how, logprobs: false });
  const solved = problems.filter((problem, at) => {
    const [reply] = replies[at] ?? [];
    return reply?.stopReason === 'stop' && family.read(problem, format.decode(reply.tokens.slice(0, -1))).answerRight;
  });
  return solved.length >= share * LOOKED_AT;
}

function drawRightWork(family: TrainingFamily, draws: Stream, secondTurn: number): Lesson {
  const problem = family.drawTraining(draws);
  const text = family.reply(rightWork(family, problem, draws));
  const reply = { spans: [{ text, weight: 1 }], end: 1 };
  if (!draws.chance(secondTurn)) return [asked(family.prompt(problem)), reply];
  const pair = roleSwap(family, problem, text, drawWording(family, draws), 'right');
  return [...pair[draws.pick(['control', 'treated'] as const)].conversation, reply];
}
