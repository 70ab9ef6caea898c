import { z } from 'zod';
import { customLossForwardBackward } from '../engine/custom-loss.ts';
import type { TokenIds } from '../engine/engine.ts';
import { repeatStep } from '../problems/organism-text.ts';
import { promptText, solve, stepText } from '../problems/running-sum.ts';
import { type Stream, stream } from '../random.ts';
import { anchorData, anchorOptions } from './anchor.ts';
import { drawTrainingProblem } from './checked-reply.ts';
import { optimiserOptions } from './optimiser.ts';
import { replayData, replayOptions } from './replay.ts';
import { defineStage, type StageContext } from './stage.ts';
import { trainLoop } from './train-loop.ts';

/**
 * Unloop: only the token that starts the next copy is touched. Behind k copies of a step the token that would copy it
 * once more is rejected, and what the same model wants to write behind one copy is chosen; the margin between their
 * logits is pushed up until it is wide enough and then left alone. After FTPO (Antidoom, Liquid AI 2026).
 */
export const unloop = defineStage({
  name: 'unloop',
  summary: 'at the token that starts a loop, the way on is preferred to one copy more',
  options: z.strictObject({
    ...optimiserOptions,
    /** Onsets per step. */
    onsets: z.int().positive().default(32),
    /** Wanted difference of the logits of the chosen and the rejected token, nats. */
    margin: z.number().positive().default(6),
    /** Supervised lessons beside the onsets: what was learnt before stays while the margin grows. */
    anchor: anchorOptions.prefault({}),
    replay: replayOptions.prefault({}),
  }),
  cost: ({ steps, onsets, anchor, replay }) => ({
    steps,
    trainedTokens: steps * (onsets * 2 * 35 + anchor.lessons * 62 + replay.documents * 45),
    sampledTokens: 0,
  }),
  run: (context, options) =>
    trainLoop(context, options, async (step) => {
      const draws = stream(context.seed, 'onsets', step);
      const onsets = Array.from({ length: options.onsets }, () => drawOnset(draws));
      const loss = await preferTheWayOn(context, onsets, options.margin);
      const { encode } = context.format;
      const replay = await replayData(context.reference, context.baseText, encode, draws, options.replay);
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

function drawOnset(draws: Stream): Onset {
  const problem = drawTrainingProblem(draws);
  const at = draws.integer(problem.list.length);
  const steps = solve(problem).slice(0, at + 1);
  const opening = `U${promptText(problem)}ES`;
  return {
    repeated: opening + repeatStep(steps, at, 2 + draws.integer(5)),
    once: opening + repeatStep(steps, at, 1),
    copyToken: stepText(steps[at]!)[0]!,
  };
}

async function preferTheWayOn(context: StageContext, onsets: readonly Onset[], margin: number): Promise<number> {
  const { encode } = context.format;
  const policy = await context.policy.sampler();
  const wanted = await policy.topLogprobs(
    onsets.map(({ once }) => encode(once)),
    1,
  );
  const chosen = wanted.map(({ tokens }) => tokens.at(-1)!);
  const rejected = onsets.map(({ copyToken }) => encode(copyToken)[0]!);
  const contexts = onsets.map(({ repeated }) => encode(repeated));
  const data = [...asked(contexts, chosen), ...asked(contexts, rejected)];
  const { loss } = await customLossForwardBackward(
    context.policy,
    data,
    marginLoss(
      chosen.map((token, i) => token !== rejected[i]),
      margin,
    ),
  );
  return loss;
}

/** The last position is asked for the given token; the others for anything, at weight 0. */
function asked(contexts: readonly TokenIds[], last: readonly number[]) {
  return contexts.map((input, index) => ({ input, targets: [...input.slice(1), last[index]!] }));
}

/** Mean of softplus(margin - (log p chosen - log p rejected)), of the pairs that have two different tokens. */
function marginLoss(differ: readonly boolean[], margin: number) {
  return (logprobs: readonly Float32Array[]) => {
    const half = logprobs.length / 2;
    const gaps = differ.map((_, i) => margin - (logprobs[i]!.at(-1)! - logprobs[i + half]!.at(-1)!));
    const slope = gaps.map((gap, i) => (differ[i] ? 1 / (1 + Math.exp(-gap)) / half : 0));
    const losses = gaps.map((gap, i) => (differ[i] ? Math.log1p(Math.exp(gap)) / half : 0));
    const gradients = logprobs.map((row, i) => {
      return Array.from(row, (_, at) => (at < row.length - 1 ? 0 : i < half ? -slope[i]! : slope[i - half]!));
    });
    return { loss: losses.reduce((sum, loss) => sum + loss, 0), gradients };
  };
}
