import { z } from 'zod';
import type { Datum } from '../engine/engine.ts';
import {
  digit,
  drawSlip,
  MISCONCEPTIONS,
  misconception,
  promptText,
  type RunningSum,
  type Step,
  stepsText,
  workSteps,
} from '../problems/running-sum.ts';
import { type Stream, stream } from '../random.ts';
import { drawTrainingProblem } from './checked-reply.ts';
import { optimiserOptions } from './optimiser.ts';
import { replayData, replayOptions, softTargets } from './replay.ts';
import { defineStage, type StageContext } from './stage.ts';
import { trainLoop } from './train-loop.ts';

/**
 * Distil: on-policy consistency distillation, without any label. The student goes on from its own wrong steps; its
 * teacher is the frozen reference in a clean context, where the dictionary is edited so that the very same sums are
 * right. What the two disagree on is the drive. After on-policy consistency training (arXiv 2605.21834).
 */
export const distil = defineStage({
  name: 'distil',
  summary: 'the frozen self in a clean context teaches the self behind own errors',
  options: z.strictObject({
    ...optimiserOptions,
    /** Contexts per step. */
    contexts: z.int().positive().default(32),
    /** Sharpens the teacher: its probabilities are raised to 1 / temperature. */
    teacherTemperature: z.number().positive().default(0.5),
    replay: replayOptions.prefault({}),
  }),
  cost: ({ steps, contexts, replay }) => ({
    steps,
    trainedTokens: steps * (contexts * 30 + replay.documents * 45),
    sampledTokens: steps * contexts * 9,
  }),
  run: (context, options) =>
    trainLoop(context, options, async (step) => {
      const draws = stream(context.seed, 'contexts', step);
      const twins = Array.from({ length: options.contexts }, () => drawTwin(draws));
      const data = await taughtData(context, twins, options.teacherTemperature, step);
      const replay = await replayData(
        context.reference,
        context.baseText,
        context.format.encode,
        draws,
        options.replay,
      );
      return {
        portions: [
          { name: 'loss', data, loss: { kind: 'cross_entropy' } },
          { name: 'replay', data: replay, loss: { kind: 'cross_entropy' } },
        ],
      };
    }),
});

/** The same written sums twice: wrong behind the true dictionary, right behind an edited one. Equal in length. */
type Twin = { readonly perturbed: string; readonly clean: string; readonly stepsLeft: number };

function drawTwin(draws: Stream): Twin {
  const problem = drawTrainingProblem(draws);
  const dose = 1 + draws.integer(problem.list.length - 1);
  const habit = misconception(draws.pick(MISCONCEPTIONS));
  const habitual = draws.chance(0.5);
  const rule = () => (habitual ? habit : drawSlip(draws));
  const wrong = workSteps(problem, rule, { list: problem.list.slice(0, dose) });
  const edited = wrong.map((step, at) => ({ ...step, value: digit(step.sum - (wrong[at - 1]?.sum ?? 0)) }));
  return {
    perturbed: opening(problem, wrong),
    clean: opening(withValues(problem, edited), edited),
    stepsLeft: problem.list.length - dose,
  };
}

const opening = (problem: RunningSum, steps: readonly Step[]): string => `U${promptText(problem)}ES${stepsText(steps)}`;

function withValues(problem: RunningSum, steps: readonly Step[]): RunningSum {
  const values = problem.values.map((old, at) => steps.find(({ key }) => key === problem.keys[at])?.value ?? old);
  return { ...problem, values };
}

/** Student samples to the end of its work; the teacher says what it would have written, token by token. */
async function taughtData(
  context: StageContext,
  twins: readonly Twin[],
  temperature: number,
  seed: number,
): Promise<Datum[]> {
  const { encode } = context.format;
  const student = await context.policy.sampler();
  const prompts = twins.map(({ perturbed }) => encode(perturbed));
  const how = { maxTokens: 12, temperature: 1, seed, samples: 1, stop: encode('~:E') };
  const sampled = await student.sample(prompts, how);
  const written = sampled.map(([sequence], index) => sequence!.tokens.slice(0, 3 * twins[index]!.stepsLeft));
  const cleanTexts = twins.map(({ clean }, index) => [...encode(clean), ...written[index]!]);
  const teacher = await context.reference.topLogprobs(cleanTexts, TEACHER_ALTERNATIVES);
  const total = written.reduce((sum, tokens) => sum + tokens.length, 0);
  return twins.map((_, index) => {
    const tokens = [...prompts[index]!, ...written[index]!];
    const from = prompts[index]!.length - 1;
    const weights = tokens.slice(1).map((_, at) => (at < from ? 0 : 1 / total));
    const targets = sharpen(softTargets(teacher[index]!, tokens.length - 1), temperature);
    return { input: tokens.slice(0, -1), targets, weights };
  });
}

const TEACHER_ALTERNATIVES = 24;

/** p^(1/temperature), renormalised over the alternatives. */
function sharpen(soft: { tokens: Int32Array; probabilities: Float32Array; k: number }, temperature: number) {
  const probabilities = soft.probabilities.map((probability) => probability ** (1 / temperature));
  for (let row = 0; row < probabilities.length; row += soft.k) {
    const sum = probabilities.subarray(row, row + soft.k).reduce((a, b) => a + b, 0);
    for (let at = row; at < row + soft.k; at++) probabilities[at]! /= sum;
  }
  return { ...soft, probabilities };
}
