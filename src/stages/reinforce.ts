import { z } from 'zod';
import { startTokens } from '../chat/lesson.ts';
import type { Datum, Sequence, TokenIds } from '../engine/engine.ts';
import { stream } from '../random.ts';
import { drawStart, type OwnWork, type StartShares } from '../wrong-turns/draw-start.ts';
import { grade } from '../wrong-turns/grade.ts';
import type { Start } from '../wrong-turns/start.ts';
import { anchorData, anchorOptions } from './anchor.ts';
import { optimiserOptions } from './optimiser.ts';
import { openOwnWork, poolCost, poolOptions } from './own-work.ts';
import { openReplay, replayCost, replayNeeds, replayOptions } from './replay.ts';
import { priceSchema, reward } from './reward.ts';
import { defineStage, SAMPLES, type StageContext } from './stage.ts';
import { possibleStarts, startShares } from './start-shares.ts';
import { trainLoop } from './train-loop.ts';

/** Of the challenged starts, the shares in the model's own turn, of wrong ones, and of own ones that a check waved through. */
const CHALLENGED = { own: 0.6, wrong: 0.6, waved: 1 / 3 };

/** Share of the own work that has a wrong step: rollouts start behind errors. */
const OWN_WRONG = 0.9;

/**
 * Reinforce: RL with verifiable rewards from mixed clean and perturbed starts. Groups of rollouts from one start, the
 * group's mean as baseline, no division by the deviation (Dr. GRPO); groups without variance teach nothing and are left
 * out. Right answers are worth 1; false alarms, misses and wrong steps have their price, or the model learns to
 * re-derive unconditionally. A part of the supervised lessons goes on as an anchor.
 */
export const reinforce = defineStage({
  name: 'reinforce',
  summary: 'RLVR from clean and perturbed starts, false alarms priced',
  options: z.strictObject({
    ...optimiserOptions,
    /** Starts per step, and rollouts of each. */
    prompts: z.int().positive().max(100_000).default(24),
    group: z.int().min(2).max(1024).default(8),
    temperature: z.number().positive().max(10).default(1),
    starts: startShares.prefault({}),
    price: priceSchema.prefault({}),
    ...poolOptions,
    refresh: poolOptions.refresh.default(10),
    /** Supervised lessons beside the rollouts. */
    anchor: anchorOptions.prefault({ shares: { own: 0.3 } }),
    replay: replayOptions.prefault({}),
  }),
  cost: ({ steps, prompts, group, anchor, replay, ...pool }, sizes) => ({
    steps,
    trainedTokens:
      steps *
      (prompts * group * (sizes.prompt + sizes.continuation) +
        anchor.lessons * sizes.lesson +
        replayCost(replay, sizes)),
    sampledTokens: steps * prompts * group * sizes.continuation + poolCost(steps, pool, sizes),
  }),
  needs: ({ replay }) => [SAMPLES, { abilities: ['importance_sampling'], what: 'the reward' }, ...replayNeeds(replay)],
  async run(context, options) {
    const replay = await openReplay(context, options.replay);
    const ownWork = openOwnWork(context, options, OWN_WRONG);
    await trainLoop(context, options, async (step) => {
      const own = await ownWork(step);
      const draws = stream(context.seed, 'starts', step);
      const shares = possibleStarts(context.family, options.starts, own);
      const starts = Array.from({ length: options.prompts }, () => draw(context, draws, shares, own));
      const { data, metrics } = await rollOut(context, starts, options, step);
      const anchor = anchorData(context, draws, options.anchor, own);
      return {
        portions: [
          { name: 'policy', data, loss: { kind: 'importance_sampling' } },
          { name: 'anchor', data: anchor, loss: { kind: 'cross_entropy' } },
          { name: 'replay', data: await replay(draws, step), loss: { kind: 'cross_entropy' } },
        ],
        metrics,
      };
    });
  },
});

const draw = ({ family }: StageContext, draws: ReturnType<typeof stream>, shares: StartShares, own: readonly OwnWork[]) =>
  drawStart(family, draws, shares, own, CHALLENGED); // biome-ignore format: one line

type RollOutOptions = {
  readonly group: number;
  readonly temperature: number;
  readonly price: z.output<typeof priceSchema>;
};

async function rollOut(
  context: StageContext,
  starts: readonly Start<unknown>[],
  { group, temperature, price }: RollOutOptions,
  seed: number,
) {
  const { family, format } = context;
  const sampler = await context.policy.sampler();
  const prompts = starts.map(({ conversation, sampled }) => startTokens(conversation, format, sampled));
  const how = { maxTokens: family.replyTokens, temperature, seed, samples: group, stop: format.stop };
  const sequences = await sampler.sample(prompts, how);
  const rewards = sequences.map((samples, at) => samples.map((sequence) => rewardOf(context, starts[at]!, sequence, price))); // biome-ignore format: one line
  const advantages = rewards.map(groupAdvantages);
  const live = advantages.filter((one) => one.some((advantage) => advantage !== 0)).length;
  // one constant for all lengths: dividing by a rollout's own length would favour long wrong ones
  const scale = 1 / (starts.length * group * context.sizes.continuation);
  const data = sequences.flatMap((samples, at) =>
    samples.flatMap((sequence, index) => policyDatum(prompts[at]!, sequence, scale * advantages[at]![index]!)),
  );
  const kl = await divergence(context, prompts, sequences);
  return { data, metrics: { reward: mean(rewards.flat()), groups: live / starts.length, kl } };
}

function rewardOf(
  { family, format }: StageContext,
  start: Start<unknown>,
  { tokens, stopReason }: Sequence,
  price: z.output<typeof priceSchema>,
): number {
  const ended = stopReason === 'stop';
  const said = format.decode(ended ? tokens.slice(0, -1) : tokens);
  return reward(grade(family, start, said), price, ended);
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;

/** What each rollout got beyond its group's mean; they add up to 0, and are all 0 where the group agrees. */
export function groupAdvantages(rewards: readonly number[]): number[] {
  const baseline = mean(rewards);
  return rewards.map((value) => (Math.abs(value - baseline) < 1e-9 ? 0 : value - baseline));
}

/** What was sampled keeps its ids and the logprobs it was sampled with; nothing where there is nothing to learn. */
function policyDatum(prompt: TokenIds, { tokens, logprobs }: Sequence, advantage: number): Datum[] {
  if (advantage === 0) return [];
  const before = Array.from({ length: prompt.length - 1 }, () => 0);
  return [
    {
      input: [...prompt, ...tokens.slice(0, -1)],
      targets: [...prompt.slice(1), ...tokens],
      logprobs: [...before, ...logprobs],
      advantages: [...before, ...tokens.map(() => advantage)],
    },
  ];
}

/** KL(model || reference) a token, estimated on the first rollout of each group, nats. */
async function divergence(context: StageContext, prompts: readonly TokenIds[], sequences: readonly Sequence[][]) {
  const firsts = sequences.map(([first]) => first!); // a group has at least two
  const judged = await context.reference.logprobs(firsts.map(({ tokens }, at) => [...prompts[at]!, ...tokens])); // biome-ignore format: one line
  return klEstimate(firsts.map(({ logprobs }, at) => ({ own: logprobs, reference: judged[at]!.slice(prompts[at]!.length) }))); // biome-ignore format: one line
}

/** The estimator k3 = r - 1 - log r with r = p_reference / p_own: unbiased, never below 0 (Schulman 2020). */
export function klEstimate(texts: readonly { own: readonly number[]; reference: ArrayLike<number> }[]): number {
  const ratios = texts.flatMap(({ own, reference }) => own.map((logprob, at) => reference[at]! - logprob)); // as long
  return mean(ratios.map((log) => Math.exp(log) - 1 - log));
}
