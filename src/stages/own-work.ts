import { z } from 'zod';
import { type LessonFormat, startTokens } from '../chat/lesson.ts';
import type { TokenIds } from '../engine/engine.ts';
import { type WorkedStep, workInProgress } from '../problems/problem-family.ts';
import { stream } from '../random.ts';
import type { OwnWork, TrainingFamily } from '../wrong-turns/draw-start.ts';
import { asked } from '../wrong-turns/turns.ts';
import type { Sizes } from './sizes.ts';
import type { StageContext } from './stage.ts';

/** A pool of own work as it is remembered with the checkpoints: problems, and the tokens of the whole replies. */
const poolSchema = z.array(z.strictObject({ problem: z.unknown(), tokens: z.array(z.int()) }));

/** Of a pool: the hotter half errs where the model has become careful at T = 1. */
const TEMPERATURES = [1, 1.7];

/** A hot sample may run on longer than the work asks for. */
const ROOM = 1.6;

/** Sampled tokens. */
export const poolCost = (steps: number, { refresh, pool }: PoolOptions, { work }: Sizes): number =>
  Math.ceil(steps / refresh) * pool * work;

export type PoolOptions = {
  /** Steps between two pools, and prompts sampled for one. */
  readonly refresh: number;
  readonly pool: number;
};

/** How a pool of own work is drawn, in the options of a stage. */
export const poolOptions = {
  /** Steps between two pools of own work. */
  refresh: z.int().positive().max(10_000_000).default(20),
  /** Prompts sampled for a pool. */
  pool: z.int().min(2).max(100_000).default(160),
};

/**
 * The pool of own work as of each step. The model's own errors are the ones that it has to learn to see; injected ones
 * do not transfer (arXiv 2512.02389).
 * @param wrongShare of the pool that has a wrong step.
 */
export function openOwnWork(
  context: StageContext,
  options: PoolOptions,
  wrongShare: number,
): (step: number) => Promise<OwnWork[]> {
  let pool: OwnWork[] | undefined;
  return async (step) => {
    if (step % options.refresh === 0) {
      const sampled = balanced(await sampleWork(context, step, options.pool), wrongShare);
      await context.remember(
        'own work',
        sampled.map(({ problem, tokens }) => ({ problem, tokens })),
      );
      pool = sampled;
    }
    pool ??= await recalled(context);
    return pool;
  };
}

async function recalled(context: StageContext): Promise<OwnWork[]> {
  const kept = (await context.recall('own work', poolSchema)) ?? [];
  return kept.flatMap(({ problem, tokens }) => readWork(context, problem, tokens));
}

/** All wrong work, and as much right work as leaves it this share. */
export function balanced(works: readonly OwnWork[], wrongShare: number): OwnWork[] {
  const wrong = works.filter(({ steps }) => steps.some(({ right }) => !right));
  const right = works.filter((work) => !wrong.includes(work));
  const keep = Math.min(right.length, Math.round((wrong.length * (1 - wrongShare)) / wrongShare));
  return [...wrong, ...right.slice(0, keep)];
}

/** First passes by the model in training. */
async function sampleWork(context: StageContext, round: number, pool: number): Promise<OwnWork[]> {
  const { family, format, sizes } = context;
  const draws = stream(context.seed, 'own work', round);
  const sampler = await context.policy.sampler();
  const works: OwnWork[] = [];
  for (const temperature of TEMPERATURES) {
    const problems = Array.from({ length: Math.ceil(pool / TEMPERATURES.length) }, () => family.drawTraining(draws));
    const prompts = problems.map((problem) => startTokens([asked(family.prompt(problem))], format));
    const maxTokens = family.check === undefined ? family.replyTokens : Math.ceil(ROOM * sizes.longestWork);
    const how = { maxTokens, temperature, seed: round, samples: 1, stop: format.stop, logprobs: false };
    const sequences = await sampler.sample(prompts, how);
    works.push(...problems.flatMap((problem, at) => readWork(context, problem, sequences[at]![0]!.tokens)));
  }
  return works;
}

/** A complete first pass that the reply begins with; anything else has no place to be checked at. */
function readWork(
  { family, format }: { readonly family: TrainingFamily; readonly format: LessonFormat },
  problem: unknown,
  tokens: TokenIds,
): OwnWork[] {
  const pieces = format.pieces(tokens);
  const text = pieces.join('');
  const { steps } = family.read(problem, text);
  if (steps.length !== family.length(problem) || !text.startsWith(workInProgress(steps))) return [];
  const ends = tokenEnds(steps, pieces);
  return ends === undefined ? [] : [{ problem, steps, ends, tokens: tokens.slice(0, ends.at(-1)) }];
}

/** Where each step ends among the tokens; undefined where one ends within a token. */
function tokenEnds(steps: readonly WorkedStep[], pieces: readonly string[]): number[] | undefined {
  let [at, characters, wanted] = [0, 0, 0];
  const ends: number[] = [];
  for (const { text } of steps) {
    wanted += text.length;
    while (characters < wanted) characters += pieces[at++]!.length; // the steps are in the text
    if (characters !== wanted) return undefined;
    ends.push(at);
  }
  return ends;
}
