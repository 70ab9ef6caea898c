import { z } from 'zod';
import { customLossForwardBackward } from '../engine/custom-loss.ts';
import type { TokenIds } from '../engine/engine.ts';
import { repeatStep } from '../problems/organism-text.ts';
import { solve, stepText } from '../problems/running-sum.ts';
import { type Stream, stream } from '../random.ts';
import { anchorData, anchorOptions } from './anchor.ts';
import { drawRepetition } from './checked-lessons.ts';
import { drawTrainingProblem } from './checked-reply.ts';
import { optimiserOptions } from './optimiser.ts';
import { replayData, replayNeeds, replayOptions } from './replay.ts';
import { defineStage, SAMPLES, type StageContext } from './stage.ts';
import { trainLoop } from './train-loop.ts';

/**
 * Unloop: only the token that starts the next copy is touched. Behind k copies of a step the token that would copy it
 * once more is rejected, and what the same model wants to write behind one copy is chosen; the margin between their
 * logprobs is pushed up until it is wide enough and then left alone. After FTPO (Antidoom, Liquid AI 2026).
 */
export const unloop = defineStage({
  name: 'unloop',
  summary: 'at the token that starts a loop, the way on is preferred to one copy more',
  options: z.strictObject({
    ...optimiserOptions,
    /** Onsets per step. */
    onsets: z.int().positive().default(32),
    /** Wanted difference of the logprobs of the chosen and the rejected token, nats. */
    margin: z.number().positive().default(6),
    /** Of the mean margin loss, against the anchor's and the replay's. */
    weight: z.number().positive().default(0.05),
    /** Supervised lessons beside the onsets: what was learnt before stays while the margin grows. */
    anchor: anchorOptions.prefault({}),
    replay: replayOptions.prefault({}),
  }),
  cost: ({ steps, onsets, anchor, replay }) => ({
    steps,
    trainedTokens: steps * (onsets * 2 * 35 + anchor.lessons * 62 + replay.documents * 45),
    sampledTokens: 0,
  }),
  needs: ({ replay }) => [
    SAMPLES,
    { abilities: ['signed_weights'], what: 'the margin between two tokens' },
    ...replayNeeds(replay),
  ],
  run: (context, options) =>
    trainLoop(context, options, async (step) => {
      const draws = stream(context.seed, 'onsets', step);
      const onsets = Array.from({ length: options.onsets }, () => drawOnset(draws, options.anchor.joined));
      const loss = await preferTheWayOn(context, onsets, options);
      const { encode } = context.format;
      const replay = await replayData(context, draws, options.replay);
      return {
        portions: [
          { name: 'anchor', data: anchorData(draws, options.anchor, encode), loss: { kind: 'cross_entropy' } },
          { name: 'replay', data: replay, loss: { kind: 'cross_entropy' } },
        ],
        metrics: { loss },
      };
    }),
});

/** A step that stands there several times, the token of one copy more, and the same place with the step there once. */
type Onset = { readonly repeated: string; readonly once: string; readonly copyToken: string };

function drawOnset(draws: Stream, joined: number): Onset {
  const problem = drawTrainingProblem(draws);
  const { opening, at, copies } = drawRepetition(draws, problem, joined);
  const steps = solve(problem).slice(0, at + 1);
  return {
    repeated: opening + repeatStep(steps, at, copies),
    once: opening + repeatStep(steps, at, 1),
    copyToken: stepText(steps[at]!)[0]!,
  };
}

type MarginOptions = { readonly margin: number; readonly weight: number };

async function preferTheWayOn(
  context: StageContext,
  onsets: readonly Onset[],
  options: MarginOptions,
): Promise<number> {
  const { encode } = context.format;
  const policy = await context.policy.sampler();
  const once = onsets.map((onset) => encode(onset.once));
  const ends = once.map(({ length }) => length - 1);
  const wanted = await policy.topLogprobs(once, 1, ends);
  const pairs = onsets
    .map(({ repeated, copyToken }, index) => ({
      input: encode(repeated),
      chosen: wanted[index]!.tokens.at(-1)!,
      rejected: encode(copyToken)[0]!,
    }))
    .filter(({ chosen, rejected }) => chosen !== rejected);
  if (pairs.length === 0) return 0;
  const chosen = pairs.map((pair) => askedAtTheEnd(pair.input, pair.chosen));
  const rejected = pairs.map((pair) => askedAtTheEnd(pair.input, pair.rejected));
  const { loss } = await customLossForwardBackward(context.policy, [...chosen, ...rejected], marginLoss(options));
  return loss;
}

/** The last position is asked for the given token; the others for anything, at weight 0. */
function askedAtTheEnd(input: TokenIds, token: number) {
  return { input, targets: [...input.slice(1), token] };
}

/** Mean of max(0, margin - (log p chosen - log p rejected)): a pair that is wide enough is left alone. */
function marginLoss({ margin, weight }: MarginOptions) {
  return (logprobs: readonly Float32Array[]) => {
    const pairs = logprobs.length / 2;
    const last = (row: number) => logprobs[row]!.at(-1)!;
    const gaps = Array.from({ length: pairs }, (_, row) => margin - (last(row) - last(pairs + row)));
    const slopes = gaps.map((gap) => (gap > 0 ? weight / pairs : 0));
    const loss = gaps.reduce((sum, gap, row) => sum + gap * slopes[row]!, 0);
    const gradients = logprobs.map((tokens, row) => {
      const slope = row < pairs ? -slopes[row]! : slopes[row - pairs]!;
      return Array.from(tokens, (_, at) => (at < tokens.length - 1 ? 0 : slope));
    });
    return { loss, gradients };
  };
}
