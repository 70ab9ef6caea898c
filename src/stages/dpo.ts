import { z } from 'zod';
import { lessonDatum, type WeightedDatum } from '../chat/lesson.ts';
import { type Preference, readPreferences } from '../conversation/preference-file.ts';
import { type CustomLoss, customLossForwardBackward } from '../engine/custom-loss.ts';
import type { Sampler } from '../engine/engine.ts';
import { stream } from '../random.ts';
import { optimiserOptions } from './optimiser.ts';
import { openReplay, replayCost, replayNeeds, replayOptions } from './replay.ts';
import { defineStage, type StageContext } from './stage.ts';
import { trainLoop } from './train-loop.ts';

/**
 * Direct preference optimisation (Rafailov et al. 2023) on preferences of one's own: the policy raises the chosen reply over
 * the rejected one, relative to the frozen reference, without a preference model in between.
 */
export const dpo = defineStage({
  name: 'dpo',
  summary: 'prefers the chosen to the rejected reply (JSONL with prompt, chosen, rejected)',
  options: z.strictObject({
    ...optimiserOptions,
    /** A JSONL file; a relative path starts at the recipe's folder. */
    file: z.string().min(1),
    /** Preferences per step. */
    pairs: z.int().positive().max(100_000).default(16),
    /** How hard the policy is held to the reference: the higher, the closer it stays. */
    beta: z.number().positive().max(100).default(0.1),
    replay: replayOptions.prefault({}),
  }),
  cost: ({ steps, pairs, replay }, sizes) => ({
    steps,
    // each pair passes twice forward and once backward, chosen and rejected
    trainedTokens: steps * (pairs * 2 * REPLY_TOKENS + replayCost(replay, sizes)),
    sampledTokens: 0,
  }),
  needs: ({ replay }) => [
    { abilities: ['signed_weights'], what: 'the margin between two replies' },
    ...replayNeeds(replay),
  ],
  async run(context, options) {
    const preferences = await readPreferences(context.file(options.file));
    const replay = await openReplay(context, options.replay);
    await trainLoop(context, options, async (step) => {
      const draws = stream(context.seed, 'preferences', step);
      const drawn = Array.from({ length: options.pairs }, () => draws.pick(preferences));
      const metrics = await preferChosen(context, drawn, options.beta);
      return {
        portions: [{ name: 'replay', data: await replay(draws, step), loss: { kind: 'cross_entropy' } }],
        metrics,
      };
    });
  },
});

/** A prompt with its reply; the file is not read for the bill. */
const REPLY_TOKENS = 256;

type DpoMetrics = { readonly loss: number; readonly preferred: number };

/** `preferred` is the share of pairs whose chosen reply has gained more on the reference than the rejected one. */
async function preferChosen(
  { policy, reference, format }: StageContext,
  pairs: readonly Preference[],
  beta: number,
): Promise<DpoMetrics> {
  const side = (reply: 'chosen' | 'rejected') =>
    pairs.map((pair) => lessonDatum([...pair.prompt, { spans: [{ text: pair[reply], weight: 1 }], end: 1 }], format));
  const data = [...side('chosen'), ...side('rejected')];
  const known = await replyLogprobs(reference, data);
  const { loss, logprobs } = await customLossForwardBackward(policy, data, dpoLoss(data, known, beta));
  return { loss, preferred: preferredShare(margins(data, logprobs, known)) };
}

/** The reference's logprob of each reply, summed over its tokens, nats. */
async function replyLogprobs(reference: Sampler, data: readonly WeightedDatum[]): Promise<number[]> {
  const found = await reference.logprobs(data.map(({ input, targets }) => [...input, ...targets.slice(-1)]));
  return data.map((datum, row) => replySum(datum, (found[row] ?? new Float32Array()).subarray(1)));
}

/** Over the tokens of the reply alone. */
function replySum({ weights }: WeightedDatum, logprobs: ArrayLike<number>): number {
  return weights.reduce((sum, weight, at) => (weight > 0 ? sum + (logprobs[at] ?? 0) : sum), 0);
}

/** By pair, how much more the chosen reply has gained on the reference than the rejected one, nats. */
function margins(
  data: readonly WeightedDatum[],
  logprobs: readonly ArrayLike<number>[],
  known: readonly number[],
): number[] {
  const gains = data.map((datum, row) => replySum(datum, logprobs[row] ?? []) - (known[row] ?? 0));
  const pairs = gains.length / 2;
  return gains.slice(0, pairs).map((gain, pair) => gain - (gains[pairs + pair] ?? 0));
}

const preferredShare = (all: readonly number[]): number => all.filter((margin) => margin > 0).length / all.length;

/** Mean of -log sigmoid(beta margin); `data` holds the chosen replies, then the rejected ones in the same order. */
export function dpoLoss(data: readonly WeightedDatum[], known: readonly number[], beta: number): CustomLoss {
  return (logprobs) => {
    const all = margins(data, logprobs, known);
    const loss = all.reduce((sum, margin) => sum + Math.log1p(Math.exp(-beta * margin)), 0) / all.length;
    const slopes = all.map((margin) => -beta / (1 + Math.exp(beta * margin)) / all.length);
    const gradients = data.map(({ weights }, row) => {
      const slope = row < all.length ? (slopes[row] ?? 0) : -(slopes[row - all.length] ?? 0);
      return weights.map((weight) => (weight > 0 ? slope : 0));
    });
    return { loss, gradients };
  };
}
