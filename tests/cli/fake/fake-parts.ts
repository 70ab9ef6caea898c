import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ChatModel } from '../../../src/conversation/chat-model.ts';
import type { Sampler } from '../../../src/engine/engine.ts';
import { ModelError } from '../../../src/errors.ts';
import type { Prober } from '../../../src/probes/prober.ts';
import { FAMILIES } from '../../../src/problems/families.ts';
import { stream } from '../../../src/random.ts';
import type { RunParts } from '../../../src/recipe/run-parts.ts';
import type { Outcome } from '../../../src/results/probe-report.ts';
import { defineStage, type StageContext, stageRegistry } from '../../../src/stages/stage.ts';
import { FakePolicy } from './fake-policy.ts';

const adam = { learningRate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0 };

/** Learns from tokens that a stream draws: needs nothing remembered. */
const drift = defineStage({
  name: 'drift',
  summary: 'moves the weights',
  options: z.strictObject({ steps: z.int().positive().default(10), batch: z.int().positive().default(4) }),
  cost: ({ steps, batch }) => ({ steps, trainedTokens: steps * batch * 8, sampledTokens: 0 }),
  async run(context, { steps, batch }) {
    for (let step = context.firstStep; step < steps; step++) {
      const draws = stream(context.seed, 'tokens', step);
      await learn(
        context,
        step,
        steps,
        draw(batch * 8, () => draws.integer(256)),
      );
    }
  },
});

/** Learns from a pool of its own samples that is refreshed now and then: resumes only because it remembers. */
const pooled = defineStage({
  name: 'pooled',
  summary: 'moves the weights by what they sampled',
  options: z.strictObject({
    steps: z.int().positive().default(10),
    refresh: z.int().positive().default(4),
    nested: z.strictObject({ share: z.number().min(0).max(1).default(0.5) }).prefault({}),
  }),
  cost: ({ steps }) => ({ steps, trainedTokens: steps * 8, sampledTokens: steps * 2 }),
  async run(context, { steps, refresh }) {
    let pool = (await context.recall('pool', z.array(z.int()))) ?? [];
    for (let step = context.firstStep; step < steps; step++) {
      if (step % refresh === 0) {
        context.doing('samples a pool');
        const sampler = await context.policy.sampler();
        const prompts = draw(8, (index) => [index + step]);
        const how = { maxTokens: 1, temperature: 1, seed: step, stop: [], samples: 1 };
        pool = (await sampler.sample(prompts, how)).map(([sequence]) => sequence!.tokens[0]!);
        await context.remember('pool', pool);
      }
      await learn(context, step, steps, pool);
    }
  },
});

const broken = defineStage({
  name: 'broken',
  summary: 'throws',
  options: z.strictObject({}),
  cost: () => ({ steps: 0, trainedTokens: 0, sampledTokens: 0 }),
  run: async () => {
    throw new TypeError('a stage with a mistake in it');
  },
});

function draw<T>(count: number, one: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => one(index));
}

async function learn(context: StageContext, step: number, of: number, tokens: readonly number[]): Promise<void> {
  const { loss } = await context.policy.forwardBackward([{ input: tokens, targets: tokens }], {
    kind: 'cross_entropy',
  });
  await context.policy.optimStep(adam);
  await context.step(step, of, { loss, reward: step / of, nothing: Number.NaN });
}

const PROBE_MS = Number(process.env.FAKE_PROBE_MS ?? 0);

/** J of a made-up kind: rises as the weights sink. Every call is noted, so that a test can count the measurements. */
const prober: Prober = {
  family: 'fake',
  cost: ({ problems }) => ({ steps: 0, trainedTokens: 0, sampledTokens: problems * 30 }),
  async probe(target, { problems, behaviours }, doing) {
    if (process.env.FAKE_PROBE_LOG) await writeFile(process.env.FAKE_PROBE_LOG, `${target.name}\n`, { flag: 'a' });
    doing?.('asks', 0.5);
    await sleep(PROBE_MS);
    doing?.('counts', 0.9);
    const replies = await target.model.logprobs(
      draw(problems, (index) => ({ conversation: [], continuation: String(index) })),
    );
    const outcomes: Outcome[] = replies.map(([token], index) => {
      return { problem: `p${index}`, numerator: token!.logprob > -0.5 ? 1 : 0, denominator: 1 };
    });
    const all = [
      { behaviour: 'error-checking', row: { metric: 'j' as const, outcomes } },
      { behaviour: 'error-checking', row: { metric: 'j' as const, condition: 'kind=slip', outcomes } },
      { behaviour: 'base-quality', row: { metric: 'clean_accuracy' as const, outcomes } },
      { behaviour: 'self-correction', row: { metric: 'recovery_own' as const, outcomes: [] } },
    ];
    return {
      problems: [{ family: 'fake', count: problems, sha256: '0'.repeat(64) }],
      rows: all.filter(({ behaviour }) => behaviours.some((one) => one === behaviour)).map(({ row }) => row),
      transcripts: [],
    };
  },
};

function fakeModel(name: string, sampler: Sampler): ChatModel {
  return {
    name,
    can: { prefill: true, logprobs: true, ownLogprobs: true, seed: true },
    reply: async () => [],
    async logprobs(items) {
      const values = await sampler.logprobs(items.map(({ continuation }) => [Number(continuation)]));
      return values.map(([logprob], index) => {
        return [{ text: items[index]!.continuation, logprob: logprob!, topLogprob: 0 }];
      });
    },
  };
}

/** No fake stage reads or writes text. */
const noFormat = {} as StageContext['format'];

/** The parts of a run with a made-up model, two stages that work and one that does not. */
export const fakeParts: RunParts = {
  stages: stageRegistry([drift, pooled, broken]),
  families: FAMILIES,
  prober: () => prober,
  openText: async () => ({ format: noFormat, baseText: undefined }),
  versions: { fake: '1' },
  async openModel(folder, { seed }) {
    if (folder.includes('damaged')) throw new ModelError(`${folder}/model.safetensors: ends too early`);
    const policy = new FakePolicy(seed);
    return { policy, reference: await policy.sampler(), format: noFormat, baseText: undefined, parameters: 256 };
  },
  probeTarget: (name, sampler, { reference }) => ({
    name,
    model: fakeModel(name, sampler),
    competence: fakeModel('reference', reference),
  }),
  async exportModel({ policy }, source, folder) {
    await mkdir(folder);
    await cp(join(source, 'config.json'), join(folder, 'config.json'));
    await policy.save(join(folder, 'weights'));
  },
};
