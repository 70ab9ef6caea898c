import { z } from 'zod';
import { startTokens } from '../chat/lesson.ts';
import type { Datum, TokenIds } from '../engine/engine.ts';
import { workInProgress } from '../problems/problem-family.ts';
import { stream } from '../random.ts';
import { type Arm, armShares, drawTwin, leftOut, possibleArms, type Twin } from './distil-arms.ts';
import { optimiserOptions } from './optimiser.ts';
import { openReplay, replayCost, replayNeeds, replayOptions, softTargets } from './replay.ts';
import type { Sizes } from './sizes.ts';
import { defineStage, SAMPLES, type StageContext } from './stage.ts';
import { type Portion, trainLoop } from './train-loop.ts';

/**
 * Distil: on-policy consistency distillation, without any label. The student writes behind the treated side of a pair;
 * its teacher is the frozen reference behind the control side, where nothing is in its way. What the two disagree on is
 * the drive. After on-policy consistency training (arXiv 2605.21834). Self-distillation is known to suppress doubt
 * (arXiv 2603.24472) and consistency training to raise sycophancy (arXiv 2606.03810): watch P(check) and the guard.
 */
export const distil = defineStage({
  name: 'distil',
  summary: 'the frozen self on the control side of a pair teaches the self on the treated side',
  options: z.strictObject({
    ...optimiserOptions,
    /** Contexts per step. */
    contexts: z.int().positive().max(100_000).default(32),
    /** Shares of the kinds of pair; those that the family does not have are left out. */
    arms: armShares.default({ excuse: 1, role: 1, pieces: 1, copies: 1 }),
    /** Sharpens the teacher: its probabilities are raised to 1 / temperature. */
    teacherTemperature: z.number().positive().max(10).default(0.5),
    replay: replayOptions.prefault({}),
  }),
  cost: ({ steps, contexts, replay, arms }, sizes) => ({
    steps,
    trainedTokens: steps * (contexts * (sizes.prompt + written(arms, sizes)) + replayCost(replay, sizes)),
    sampledTokens: steps * contexts * written(arms, sizes),
  }),
  needs: ({ replay }) => [
    SAMPLES,
    { abilities: ['soft_targets', 'top_logprobs'], what: "the teacher's distribution", instead: ON_SAMPLES },
    ...replayNeeds(replay),
  ],
  async run(context, options) {
    const replay = await openReplay(context, options.replay);
    const arms = possibleArms(context.family, options.arms);
    for (const left of leftOut(options.arms, arms))
      context.doing(`leaves out the arm ${left}: ${context.family.name} has none`);
    await trainLoop(context, options, async (step) => {
      const draws = stream(context.seed, 'contexts', step);
      const twins = Array.from({ length: options.contexts }, () => drawTwin(context.family, draws, arms));
      const { checked, ...taught } = await taughtBatch(context, twins, options.teacherTemperature, step);
      return {
        portions: [
          { name: 'loss', ...taught },
          { name: 'replay', data: await replay(draws, step), loss: { kind: 'cross_entropy' } },
        ],
        metrics: checked === undefined ? {} : { checked },
      };
    });
  },
});

/** Tokens that the student writes in one context: behind own errors the rest of the work, else a whole reply. */
function written(arms: Readonly<Record<Arm, number>>, { work, continuation }: Sizes): number {
  const total = Object.values(arms).reduce((sum, share) => sum + share, 0);
  return (arms.excuse * (work / 2) + (total - arms.excuse) * continuation) / total;
}

/** What the student wrote on the treated side, and what the teacher reads. */
type Written = {
  readonly twin: Twin;
  readonly prompt: TokenIds;
  readonly control: TokenIds;
  readonly tokens: TokenIds;
  /** As sampled, nats. */
  readonly logprobs: readonly number[];
};

/** The student samples; the teacher says what it would have written, token by token. */
async function taughtBatch(
  context: StageContext,
  twins: readonly Twin[],
  temperature: number,
  seed: number,
): Promise<Pick<Portion, 'data' | 'loss'> & { checked: number | undefined }> {
  const texts = (await writeOn(context, twins, seed)).filter(({ tokens }) => tokens.length > 0);
  const checked = checkedShare(context, texts);
  if (context.can('soft_targets') && context.can('top_logprobs')) {
    return { data: await taughtData(context, texts, temperature), loss: { kind: 'cross_entropy' }, checked };
  }
  return { data: await judgedData(context, texts), loss: { kind: 'importance_sampling' }, checked };
}

/** Share of the whole replies that hold a check, to be watched: what is distilled must not lose it. */
function checkedShare({ family, format }: StageContext, texts: readonly Written[]): number | undefined {
  const whole = texts.filter(({ twin }) => twin.stepsLeft === undefined && !twin.treated.challenged);
  if (whole.length === 0) return undefined;
  const checked = whole.filter(({ twin, tokens }) => {
    return family.read(twin.treated.problem, format.decode(tokens)).marks.length > 0;
  });
  return checked.length / whole.length;
}

async function writeOn(context: StageContext, twins: readonly Twin[], seed: number): Promise<Written[]> {
  const { format, policy, family } = context;
  const student = await policy.sampler();
  const prompts = twins.map(({ treated }) => startTokens(treated.conversation, format, treated.sampled));
  const maxTokens = Math.max(...twins.map((twin) => longest(context, twin)));
  const sampled = await student.sample(prompts, {
    maxTokens: Math.min(maxTokens, family.replyTokens),
    temperature: 1,
    seed,
    samples: 1,
    stop: format.stop,
  });
  return sampled.map(([sequence], index) => {
    const twin = twins[index]!; // one a sample
    const { tokens, logprobs } = sequence!; // one was asked for
    const length = taughtLength(context, twin, tokens);
    const control = startTokens(twin.control.conversation, format);
    return {
      twin,
      prompt: prompts[index]!,
      control,
      tokens: tokens.slice(0, length),
      logprobs: logprobs.slice(0, length),
    };
  });
}

/** The most tokens that are taught behind a twin. */
function longest({ family, sizes }: StageContext, { stepsLeft }: Twin): number {
  return stepsLeft === undefined ? family.replyTokens : Math.ceil(stepsLeft * sizes.step);
}

/** How many of the tokens are taught: those of the steps that are left, where only they have to agree. */
function taughtLength({ family, format, sizes }: StageContext, twin: Twin, tokens: TokenIds): number {
  if (twin.stepsLeft === undefined) return tokens.length;
  const { problem, written: before } = twin.treated;
  const pieces = format.pieces(tokens);
  const { steps } = family.read(problem, workInProgress(before) + pieces.join(''));
  const work = workInProgress(steps.slice(before.length)).length;
  let characters = 0;
  const end = pieces.findIndex((piece) => {
    characters += piece.length;
    return characters >= work;
  });
  return Math.min(end + 1, Math.ceil(twin.stepsLeft * sizes.step), tokens.length);
}

async function taughtData(context: StageContext, texts: readonly Written[], temperature: number): Promise<Datum[]> {
  const read = texts.map(({ control, tokens }) => [...control, ...tokens]);
  const teacher = await context.reference.topLogprobs(
    read,
    TEACHER_ALTERNATIVES,
    texts.map(({ control }) => control.length - 1),
  );
  const total = texts.reduce((sum, { tokens }) => sum + tokens.length, 0);
  return texts.map(({ prompt, control, tokens: own }, index) => {
    const tokens = [...prompt, ...own];
    const from = prompt.length - 1;
    const weights = tokens.slice(1).map((_, at) => (at < from ? 0 : 1 / total));
    const soft = softTargets(teacher[index]!, control.length + own.length - 1); // one a text
    return { input: tokens.slice(0, -1), targets: sharpen(moved(soft, own.length, tokens.length - 1), temperature), weights };
  });
} // biome-ignore format: one line a statement

type Soft = { readonly tokens: Int32Array; readonly probabilities: Float32Array; readonly k: number };

/** The last `count` positions at the end of a text of `length`: the two sides' prompts may differ in length. */
export function moved({ tokens, probabilities, k }: Soft, count: number, length: number): Soft {
  const out = { tokens: new Int32Array(length * k), probabilities: new Float32Array(length * k), k };
  out.tokens.set(tokens.subarray(tokens.length - count * k), (length - count) * k);
  out.probabilities.set(probabilities.subarray(probabilities.length - count * k), (length - count) * k);
  return out;
}

const ON_SAMPLES = 'the teacher judges the sampled tokens alone (reverse KL by importance sampling), unsharpened';

/** Each sampled token's advantage is what the teacher finds it likelier than the student did. */
async function judgedData(context: StageContext, texts: readonly Written[]): Promise<Datum[]> {
  const judged = await context.reference.logprobs(texts.map(({ control, tokens }) => [...control, ...tokens]));
  const total = texts.reduce((sum, { tokens }) => sum + tokens.length, 0);
  return texts.map(({ prompt, control, tokens, logprobs }, index) => {
    const before = prompt.slice(1).map(() => 0);
    const teacher = judged[index]!.subarray(control.length); // one a text
    return {
      input: [...prompt, ...tokens.slice(0, -1)],
      targets: [...prompt.slice(1), ...tokens],
      logprobs: [...before, ...logprobs],
      advantages: [...before, ...logprobs.map((own, at) => (teacher[at]! - own) / total)], // as long
    };
  });
}

const TEACHER_ALTERNATIVES = 24;

/** p^(1/temperature), renormalised over the alternatives. Rows without mass stay so: nothing is asked for there. */
export function sharpen(soft: Soft, temperature: number): Soft {
  const probabilities = soft.probabilities.map((probability) => probability ** (1 / temperature));
  for (let row = 0; row < probabilities.length; row += soft.k) {
    const sum = probabilities.subarray(row, row + soft.k).reduce((a, b) => a + b, 0);
    if (sum > 0) for (let at = row; at < row + soft.k; at++) probabilities[at]! /= sum;
  }
  return { ...soft, probabilities };
}
