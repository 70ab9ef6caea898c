import { z } from 'zod';
import { startTokens } from '../chat/lesson.ts';
import { type CustomLoss, customLossForwardBackward } from '../engine/custom-loss.ts';
import type { TokenIds } from '../engine/engine.ts';
import { type Stream, stream } from '../random.ts';
import { drawRepeated } from '../wrong-turns/draw-start.ts';
import { anchorData, anchorOptions } from './anchor.ts';
import { optimiserOptions } from './optimiser.ts';
import { openReplay, replayCost, replayNeeds, replayOptions } from './replay.ts';
import { defineStage, SAMPLES, type StageContext } from './stage.ts';
import { trainLoop } from './train-loop.ts';

/**
 * Unloop: only the token that starts the next copy is touched. Behind k copies of a step the first token in which one
 * copy more departs from what the same model writes behind a single copy is rejected, and the model's own is chosen; the
 * margin between their logprobs is pushed up until it is wide enough and then left alone. After FTPO (Antidoom, Liquid
 * AI 2026).
 */
export const unloop = defineStage({
  name: 'unloop',
  summary: 'at the token that starts a loop, the way on is preferred to one copy more',
  options: z.strictObject({
    ...optimiserOptions,
    /** Onsets per step. */
    onsets: z.int().positive().max(100_000).default(32),
    /** Wanted difference of the logprobs of the chosen and the rejected token, nats. */
    margin: z.number().positive().max(1000).default(6),
    /** Of the mean margin loss, against the anchor's and the replay's. */
    weight: z.number().positive().max(1000).default(0.05),
    /** Supervised lessons beside the onsets: what was learnt before stays while the margin grows. */
    anchor: anchorOptions.prefault({}),
    replay: replayOptions.prefault({}),
  }),
  cost: ({ steps, onsets, anchor, replay }, sizes) => ({
    steps,
    trainedTokens:
      steps * (onsets * 2 * (sizes.prompt + sizes.work) + anchor.lessons * sizes.lesson + replayCost(replay, sizes)),
    sampledTokens: steps * onsets * sizes.step,
  }),
  needs: ({ replay }) => [
    SAMPLES,
    { abilities: ['signed_weights'], what: 'the margin between two tokens' },
    ...replayNeeds(replay),
  ],
  async run(context, options) {
    const replay = await openReplay(context, options.replay);
    await trainLoop(context, options, async (step) => {
      const draws = stream(context.seed, 'onsets', step);
      const rows = Array.from({ length: options.onsets }, () => drawRow(context, draws, options.anchor.joined));
      const loss = await preferTheWayOn(context, rows, options);
      return {
        portions: [
          { name: 'anchor', data: anchorData(context, draws, options.anchor), loss: { kind: 'cross_entropy' } },
          { name: 'replay', data: await replay(draws, step), loss: { kind: 'cross_entropy' } },
        ],
        metrics: { loss },
      };
    });
  },
});

/** The same place behind several copies of a step and behind one, and the tokens of one copy more. */
type Row = { readonly repeated: TokenIds; readonly once: TokenIds; readonly copy: TokenIds };

function drawRow({ family, format }: StageContext, draws: Stream, joined: number): Row {
  const { control, treated } = drawRepeated(family, draws, joined);
  const [repeated, once] = [treated, control].map(({ conversation }) => startTokens(conversation, format));
  const copy = format.encode(treated.written.at(-1)!.text); // the step that is repeated
  return { repeated: repeated!, once: once!, copy }; // two sides
}

type MarginOptions = { readonly margin: number; readonly weight: number };

async function preferTheWayOn(context: StageContext, rows: readonly Row[], options: MarginOptions): Promise<number> {
  const policy = await context.policy.sampler();
  const maxTokens = Math.max(...rows.map(({ copy }) => copy.length));
  const how = { maxTokens, temperature: 0, seed: 0, samples: 1, stop: context.format.stop, logprobs: false };
  const ways = await policy.sample(
    rows.map(({ once }) => once),
    how,
  );
  const onsets = rows.flatMap((row, at) => onsetOf(row, ways[at]![0]!.tokens)); // one a row
  if (onsets.length === 0) return 0;
  const chosen = onsets.map(({ input, chosen: token }) => askedAtTheEnd(input, token));
  const rejected = onsets.map(({ input, rejected: token }) => askedAtTheEnd(input, token));
  const { loss } = await customLossForwardBackward(context.policy, [...chosen, ...rejected], marginLoss(options));
  return loss;
}

/** Where the copy and the way on part, behind the copies; none where the model would write the step again anyway. */
function onsetOf({ repeated, copy }: Row, way: TokenIds): { input: TokenIds; chosen: number; rejected: number }[] {
  const at = copy.findIndex((token, index) => token !== way[index]);
  const [chosen, rejected] = [way[at], copy[at]];
  if (chosen === undefined || rejected === undefined) return [];
  return [{ input: [...repeated, ...copy.slice(0, at)], chosen, rejected }];
}

/** The last position is asked for the given token; the others for anything, at weight 0. */
function askedAtTheEnd(input: TokenIds, token: number) {
  return { input, targets: [...input.slice(1), token] };
}

/** Mean of max(0, margin - (log p chosen - log p rejected)): a pair that is wide enough is left alone. */
export function marginLoss({ margin, weight }: MarginOptions): CustomLoss {
  return (logprobs) => {
    const pairs = logprobs.length / 2;
    const last = (row: number) => logprobs[row]!.at(-1)!; // a text has a last token
    const gaps = Array.from({ length: pairs }, (_, row) => margin - (last(row) - last(pairs + row)));
    const slopes = gaps.map((gap) => (gap > 0 ? weight / pairs : 0));
    const loss = gaps.reduce((sum, gap, row) => sum + gap * slopes[row]!, 0); // one a pair
    const gradients = logprobs.map((tokens, row) => {
      const slope = row < pairs ? -slopes[row]! : slopes[row - pairs]!; // one a pair
      return Array.from(tokens, (_, at) => (at < tokens.length - 1 ? 0 : slope));
    });
    return { loss, gradients };
  };
}
