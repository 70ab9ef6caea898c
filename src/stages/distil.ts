import { z } from 'zod';
import type { Datum, TokenIds } from '../engine/engine.ts';
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
import { replayData, replayNeeds, replayOptions, softTargets } from './replay.ts';
import { defineStage, SAMPLES, type StageContext } from './stage.ts';
import { type Portion, trainLoop } from './train-loop.ts';

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
  needs: ({ replay }) => [
    SAMPLES,
    { abilities: ['soft_targets', 'top_logprobs'], what: "the teacher's distribution", instead: ON_SAMPLES },
    ...replayNeeds(replay),
  ],
  run: (context, options) =>
    trainLoop(context, options, async (step) => {
      const draws = stream(context.seed, 'contexts', step);
      const twins = Array.from({ length: options.contexts }, () => drawTwin(draws));
      const taught = await taughtBatch(context, twins, options.teacherTemperature, step);
      const replay = await replayData(context, draws, options.replay);
      return {
        portions: [
          { name: 'loss', ...taught },
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

/** What the student wrote behind its own error, and what the teacher reads. */
type Written = {
  readonly prompt: TokenIds;
  readonly clean: TokenIds;
  readonly tokens: TokenIds;
  /** As sampled, nats. */
  readonly logprobs: readonly number[];
};

/** Student samples to the end of its work; the teacher says what it would have written, token by token. */
async function taughtBatch(
  context: StageContext,
  twins: readonly Twin[],
  temperature: number,
  seed: number,
): Promise<Pick<Portion, 'data' | 'loss'>> {
  const written = await goOn(context, twins, seed);
  if (context.can('soft_targets') && context.can('top_logprobs')) {
    return { data: await taughtData(context, written, temperature), loss: { kind: 'cross_entropy' } };
  }
  return { data: await judgedData(context, written), loss: { kind: 'importance_sampling' } };
}

async function goOn({ format, policy }: StageContext, twins: readonly Twin[], seed: number): Promise<Written[]> {
  const student = await policy.sampler();
  const prompts = twins.map(({ perturbed }) => format.encode(perturbed));
  const how = { maxTokens: 12, temperature: 1, seed, samples: 1, stop: format.encode('~:E') };
  const sampled = await student.sample(prompts, how);
  return sampled.map(([sequence], index) => {
    const { tokens, logprobs } = sequence!; // one was asked for
    const length = 3 * twins[index]!.stepsLeft;
    const clean = format.encode(twins[index]!.clean);
    return { prompt: prompts[index]!, clean, tokens: tokens.slice(0, length), logprobs: logprobs.slice(0, length) };
  });
}

async function taughtData(context: StageContext, written: readonly Written[], temperature: number): Promise<Datum[]> {
  const cleanTexts = written.map(({ clean, tokens }) => [...clean, ...tokens]);
  const teacher = await context.reference.topLogprobs(cleanTexts, TEACHER_ALTERNATIVES);
  const total = written.reduce((sum, { tokens }) => sum + tokens.length, 0);
  return written.map(({ prompt, tokens: own }, index) => {
    const tokens = [...prompt, ...own];
    const from = prompt.length - 1;
    const weights = tokens.slice(1).map((_, at) => (at < from ? 0 : 1 / total));
    const targets = sharpen(softTargets(teacher[index]!, tokens.length - 1), temperature);
    return { input: tokens.slice(0, -1), targets, weights };
  });
}

const ON_SAMPLES = 'the teacher judges the sampled tokens alone (reverse KL by importance sampling), unsharpened';

/** Each sampled token's advantage is what the teacher finds it likelier than the student did. */
async function judgedData(context: StageContext, written: readonly Written[]): Promise<Datum[]> {
  const judged = await context.reference.logprobs(written.map(({ clean, tokens }) => [...clean, ...tokens]));
  const total = written.reduce((sum, { tokens }) => sum + tokens.length, 0);
  return written.map(({ prompt, clean, tokens, logprobs }, index) => {
    const before = prompt.slice(1).map(() => 0);
    const teacher = judged[index]!.subarray(clean.length);
    return {
      input: [...prompt, ...tokens.slice(0, -1)],
      targets: [...prompt.slice(1), ...tokens],
      logprobs: [...before, ...logprobs],
      advantages: [...before, ...logprobs.map((own, at) => (teacher[at]! - own) / total)],
    };
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
