import { z } from 'zod';
import type { Datum, Sequence } from '../engine/engine.ts';
import { stream } from '../random.ts';
import { anchorData, anchorOptions } from './anchor.ts';
import type { OwnWork } from './checked-lessons.ts';
import { optimiserOptions } from './optimiser.ts';
import { ownWorkSchema, sampleOwnWork } from './own-work.ts';
import { replayData, replayNeeds, replayOptions } from './replay.ts';
import { priceSchema, reward } from './reward.ts';
import { defineStage, SAMPLES, type StageContext } from './stage.ts';
import { drawStart, type Start, startShares } from './start.ts';
import { trainLoop } from './train-loop.ts';

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
    prompts: z.int().positive().default(24),
    group: z.int().min(2).default(8),
    temperature: z.number().positive().default(1),
    starts: startShares.prefault({}),
    price: priceSchema.prefault({}),
    /** Steps between two pools of own work. */
    refresh: z.int().positive().default(10),
    /** Supervised lessons beside the rollouts. */
    anchor: anchorOptions.prefault({ shares: { own: 0.3 } }),
    replay: replayOptions.prefault({}),
  }),
  cost: ({ steps, prompts, group, anchor, replay }) => ({
    steps,
    trainedTokens: steps * (prompts * group * 40 + anchor.lessons * 62 + replay.documents * 45),
    sampledTokens: steps * prompts * group * 30,
  }),
  needs: ({ replay }) => [SAMPLES, { abilities: ['importance_sampling'], what: 'the reward' }, ...replayNeeds(replay)],
  async run(context, options) {
    let own: readonly OwnWork[] = (await context.recall('own work', ownWorkSchema)) ?? [];
    await trainLoop(context, options, async (step) => {
      if (step % options.refresh === 0) {
        own = await sampleOwnWork(context, step, 0.9);
        await context.remember('own work', own);
      }
      const draws = stream(context.seed, 'starts', step);
      const starts = Array.from({ length: options.prompts }, () => drawStart(draws, options.starts, own));
      const rollouts = await rollOut(context, starts, options, step);
      const { encode } = context.format;
      const anchor = anchorData(draws, options.anchor, encode, own);
      const replay = await replayData(context, draws, options.replay);
      return {
        portions: [
          { name: 'policy', data: rollouts.data, loss: { kind: 'importance_sampling' } },
          { name: 'anchor', data: anchor, loss: { kind: 'cross_entropy' } },
          { name: 'replay', data: replay, loss: { kind: 'cross_entropy' } },
        ],
        metrics: { reward: rollouts.reward, groups: rollouts.groups },
      };
    });
  },
});

type RollOutOptions = {
  readonly group: number;
  readonly temperature: number;
  readonly price: z.output<typeof priceSchema>;
};

async function rollOut(context: StageContext, starts: readonly Start[], options: RollOutOptions, seed: number) {
  const { encode, decode } = context.format;
  const sampler = await context.policy.sampler();
  const prompts = starts.map(({ text }) => encode(text));
  const how = { maxTokens: 60, temperature: options.temperature, seed, samples: options.group, stop: encode('E') };
  const sequences = await sampler.sample(prompts, how);
  const rewards = sequences.map((group, at) =>
    group.map(({ tokens }) => reward(starts[at]!, decode(tokens), options.price)),
  );
  const advantages = rewards.map(groupAdvantages);
  const live = advantages.filter((group) => group.some((advantage) => advantage !== 0)).length;
  const scale = 1 / (starts.length * options.group * TYPICAL_LENGTH);
  const data = sequences.flatMap((group, at) =>
    group.map((sequence, index) => policyDatum(prompts[at]!, sequence, scale * advantages[at]![index]!)),
  );
  const all = rewards.flat();
  return {
    data: data.filter(({ advantages: stream }) => stream.some((advantage) => advantage !== 0)),
    reward: all.reduce((sum, value) => sum + value, 0) / all.length,
    groups: live / starts.length,
  };
}

/** One constant for all lengths: dividing by a rollout's own length would favour long wrong ones. Tokens. */
const TYPICAL_LENGTH = 30;

export function groupAdvantages(rewards: readonly number[]): number[] {
  const mean = rewards.reduce((sum, value) => sum + value, 0) / rewards.length;
  return rewards.map((value) => (Math.abs(value - mean) < 1e-9 ? 0 : value - mean));
}

/** What was sampled keeps its ids and the logprobs it was sampled with. */
function policyDatum(
  prompt: readonly number[],
  { tokens, logprobs }: Sequence,
  advantage: number,
): Required<Pick<Datum, 'advantages' | 'logprobs'>> & Datum {
  const before = Array.from({ length: prompt.length - 1 }, () => 0);
  return {
    input: [...prompt, ...tokens.slice(0, -1)],
    targets: [...prompt.slice(1), ...tokens],
    logprobs: [...before, ...logprobs],
    advantages: [...before, ...tokens.map(() => advantage)],
  };
}
