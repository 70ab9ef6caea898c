import { z } from 'zod';
import type { SamplingParams, TokenIds } from '../engine/engine.ts';
import { promptText, type Step, sameStep, solve } from '../problems/running-sum.ts';
import { runningSumFamily } from '../problems/running-sum-family.ts';
import { stream } from '../random.ts';
import type { OwnWork } from './checked-lessons.ts';
import { asks, drawTrainingProblem } from './checked-reply.ts';
import type { StageContext } from './stage.ts';

const stepSchema = z.strictObject({ key: z.string(), value: z.int(), sum: z.int() });
const problemSchema = z.strictObject({ keys: z.string(), values: z.array(z.int()), list: z.string() });

/** A pool of own work as it is remembered with the checkpoints. */
export const ownWorkSchema = z.array(z.strictObject({ problem: problemSchema, steps: z.array(stepSchema) }));

/** Prompts sampled for one pool, at each temperature: the hotter one errs where the model has become careful at T = 1. */
const PROMPTS = 80;
const TEMPERATURES = [1, 1.7];

/**
 * Samples work by the model in training and balances it: `wrongShare` of the pool has a wrong step. The
 * model's own errors are the ones it has to learn to see; injected ones do not transfer (arXiv 2512.02389).
 */
export async function sampleOwnWork(context: StageContext, round: number, wrongShare: number): Promise<OwnWork[]> {
  const draws = stream(context.seed, 'own work', round);
  const sampler = await context.policy.sampler();
  const works: OwnWork[] = [];
  for (const temperature of TEMPERATURES) {
    const problems = Array.from({ length: PROMPTS }, () => drawTrainingProblem(draws));
    const prompts = problems.map((problem) => context.format.encode(`${asks(promptText(problem)).text}S`));
    const sequences = await sampler.sample(prompts, firstPass(context.format.encode, temperature, round));
    const texts = sequences.map(([sequence]) => context.format.decode(sequence!.tokens));
    works.push(...problems.flatMap((problem, index) => readWork(problem, texts[index]!)));
  }
  const wrong = works.filter(({ problem, steps }) => !steps.every((step, at) => sameStep(step, solve(problem)[at]!)));
  const right = works.filter((work) => !wrong.includes(work));
  const keep = Math.min(right.length, Math.round((wrong.length * (1 - wrongShare)) / wrongShare));
  return [...wrong, ...right.slice(0, keep)];
}

/** The first pass only: it ends where a check, an answer or the turn's end begins. */
function firstPass(encode: (text: string) => TokenIds, temperature: number, seed: number): SamplingParams {
  return { maxTokens: 24, temperature, seed, samples: 1, stop: encode('~:E'), logprobs: false };
}

/** Work that has as many steps as were asked for; anything else has no place to be checked at. */
function readWork(problem: OwnWork['problem'], text: string): OwnWork[] {
  const { steps } = runningSumFamily.read(problem, text);
  const read = steps.map(
    ({ text: [key, value, sum] }): Step => ({ key: key!, value: Number(value), sum: Number(sum) }),
  );
  return read.length === problem.list.length && !text.includes('!') ? [{ problem, steps: read }] : [];
}
