import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { trainable } from '../../docs/examples/trainable.ts';
import { parts } from '../../src/cli/parts.ts';
import type { ProblemFamily } from '../../src/problems/problem-family.ts';
import { runningSumFamily } from '../../src/problems/running-sum-family.ts';
import type { Model } from '../../src/recipe/run-parts.ts';
import { distil } from '../../src/stages/distil.ts';
import { elicit } from '../../src/stages/elicit.ts';
import { imitate } from '../../src/stages/imitate.ts';
import { reinforce } from '../../src/stages/reinforce.ts';
import type { AnyStage } from '../../src/stages/stage.ts';
import { teach } from '../../src/stages/teach.ts';
import { unloop } from '../../src/stages/unloop.ts';
import { verify } from '../../src/stages/verify.ts';
import type { TrainingFamily } from '../../src/wrong-turns/draw-start.ts';
import { randomChatModel, sevenSayer } from '../cli/chat-model-folder.ts';
import { temporaryFolder } from '../temporary.ts';
import { type Metrics, openModel, stageContext } from './context.ts';

const open: Model[] = [];
afterAll(() => Promise.all(open.map(({ policy }) => policy.close())));

async function kept(model: Promise<Model>): Promise<Model> {
  open.push(await model);
  return model;
}

const mean = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
const of = (history: readonly Metrics[], name: string) => history.map((metrics) => metrics[name]!);

describe('on the organism', () => {
  it('a short elicit raises J from 0 without false alarms', async () => {
    const model = await kept(openModel('models/organism'));
    expect(await checking(model)).toEqual({ j: 0, alarms: 0 });
    const shares = { challenged: 0.1, right: 0.2, slips: 0.4, habit: 0.3, shards: 0 };
    const options = { steps: 160, learningRate: 1e-3, hold: 1, joined: 0, shares, replay: { documents: 0 } };
    await elicit.ready(options).run(await stageContext(model));
    const { j, alarms } = await checking(model);
    expect(j).toBeGreaterThan(0.5);
    expect(alarms).toBeLessThan(0.05);
  });

  it('a short reinforce raises the reward, and says how far the model went from the reference', async () => {
    const context = await stageContext(await kept(openModel('models/organism')));
    const starts = { clean: 1, oneSlip: 0, habitOrSlips: 0, ownError: 0, rightPrefix: 0, challenged: 0 };
    const alone = { anchor: { lessons: 0 }, replay: { documents: 0 } };
    await reinforce.ready({ steps: 12, learningRate: 4e-4, warmup: 0, hold: 1, starts, ...alone }).run(context);
    const rewards = of(context.history, 'reward');
    expect(mean(rewards.slice(-3))).toBeGreaterThan(mean(rewards.slice(0, 3)) + 0.15);
    const kl = of(context.history, 'kl');
    expect(kl[0]).toBeLessThan(1e-3); // the first rollouts are the reference's own
    expect(mean(kl.slice(-3))).toBeGreaterThan(mean(kl.slice(0, 3)));
  });
});

/** Hits less false alarms on slips, and false alarms a step. */
async function checking(model: Model): Promise<{ j: number; alarms: number }> {
  const target = parts.probeTarget('now', await model.policy.sampler(), model);
  const prober = parts.prober(runningSumFamily as ProblemFamily<unknown>);
  const { rows } = await prober.probe(target, { problems: 40, behaviours: ['error-checking'], seed: 1 });
  const value = (metric: string, condition?: string) => {
    const { outcomes } = rows.find((row) => row.metric === metric && row.condition === condition)!;
    return mean(outcomes.map(({ numerator }) => numerator)) / mean(outcomes.map(({ denominator }) => denominator));
  };
  return { j: value('j', 'kind=slip,what=sum'), alarms: value('false_alarm_rate') };
}

/** Additions that come to 7, which is what one model here answers to everything. */
const sevenFamily = { ...trainable, drawTraining: () => [3, 4], replyTokens: 12 } as unknown as TrainingFamily;

/** By a tenth, the mean of three steps against that of the first three; a loss that is turned round falls, too, but below 0. */
function expectFall(history: readonly Metrics[], share = 0.9): void {
  const losses = of(history, 'loss');
  expect(Math.min(...losses)).toBeGreaterThan(0);
  expect(mean(losses.slice(-3))).toBeLessThan(share * mean(losses.slice(0, 3)));
}

const SMALL = { name: 'dictionary-sum', dials: { entries: 3, keys: 2, largest: 9 } };
const FEW = { lessons: 4, replay: { documents: 2 } };

describe('on any chat model, in words', () => {
  const stages: readonly (readonly [AnyStage, object])[] = [
    [teach, FEW],
    [elicit, FEW],
    [verify, FEW],
    [distil, { contexts: 4, arms: { role: 1, pieces: 1, copies: 1, excuse: 1 }, replay: { documents: 2 } }],
    [unloop, { onsets: 4, anchor: { lessons: 4 }, replay: { documents: 2 } }],
    [reinforce, { prompts: 2, group: 2, anchor: { lessons: 4 }, replay: { documents: 2 } }],
  ];

  it.each(stages.map(([stage, options]) => [stage.name, stage, options] as const))('%s takes a step', async (_, stage, options) => {
    const context = await stageContext(await kept(openModel(await randomChatModel())), { family: SMALL });
    await stage.ready({ steps: 1, learningRate: 1e-3, ...options }).run(context);
    expect(context.history).toHaveLength(1);
    for (const value of Object.values(context.history[0]!)) expect(Number.isFinite(value)).toBe(true);
    expect(context.history[0]!.gradientNorm).toBeGreaterThan(0);
  }); // biome-ignore format: one claim

  it('teach ends early where the model is able', async () => {
    const model = await kept(openModel(await sevenSayer()));
    const able = { ...(await stageContext(model, { family: SMALL })), family: sevenFamily };
    await teach.ready({ steps: 60, learningRate: 1e-9, ...FEW, until: 0.9 }).run(able);
    expect(able.history).toHaveLength(20); // the first look
    const unable = await stageContext(await kept(openModel(await randomChatModel())), { family: SMALL });
    await teach.ready({ steps: 22, learningRate: 1e-9, lessons: 1, replay: { documents: 0 }, until: 0.9 }).run(unable);
    expect(unable.history).toHaveLength(22);
  });

  it('learns a family of one’s own, all weights or an adapter, without a line of stage code', async () => {
    const folder = await randomChatModel();
    for (const lora of [undefined, { rank: 4, trainAttn: true, trainMlp: true, trainUnembed: true, learningRateFactor: 1 }]) {
      const model = await kept(parts.openModel(folder, { fresh: false, seed: 1, lora }));
      const context = { ...(await stageContext(model)), family: trainable as typeof trainable & { drawTraining: never } };
      await elicit.ready({ steps: 20, learningRate: 1e-2, warmup: 0, lessons: 4, replay: { documents: 0 } }).run(context);
      expectFall(context.history);
    }
  }); // biome-ignore format: one statement a line
});

describe('on a file of one’s own', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'mine.jsonl');
  const questions = ['red', 'blue', 'green', 'grey', 'pink', 'gold', 'white', 'black', 'brown', 'plum'];
  const row = (word: string, at: number) => ({ question: `Which number has ${word}?`, answer: at, split: at < 7 ? 'train' : 'test' });
  writeFileSync(file, questions.map((word, at) => JSON.stringify(row(word, at))).join('\n'));

  it.each([
    ['teach', teach, { ...FEW, replay: { documents: 0 } }],
    ['elicit', elicit, { ...FEW, replay: { documents: 0 } }],
  ] as const)('%s makes the loss fall', async (_, stage, options) => {
    const model = await kept(openModel(await randomChatModel()));
    const context = await stageContext(model, { family: { file, replyTokens: 24 } });
    await stage.ready({ steps: 20, learningRate: 1e-2, warmup: 0, ...options }).run(context);
    expectFall(context.history);
  });

  it('reinforce takes a step on the final answer alone', async () => {
    const model = await kept(openModel(await randomChatModel()));
    const context = await stageContext(model, { family: { file, replyTokens: 24 } });
    const options = { prompts: 2, group: 2, anchor: { lessons: 2 }, replay: { documents: 0 } };
    await reinforce.ready({ steps: 1, learningRate: 1e-3, ...options }).run(context);
    expect(context.history[0]!.reward).toBe(0); // random weights answer nothing
  });

  it('imitate learns the assistant’s words and no others', async () => {
    const chats = join(folder, 'chats.jsonl');
    const messages = [['system', 'Be brief.'], ['user', 'One?'], ['assistant', 'Yes, one.'], ['user', 'Two?'], ['assistant', 'No, two.']]; // biome-ignore format: one line
    writeFileSync(chats, JSON.stringify({ messages: messages.map(([role, content]) => ({ role, content })) }));
    const model = await kept(openModel(await randomChatModel()));
    const context = await stageContext(model, { family: SMALL });
    const options = { steps: 20, learningRate: 1e-2, warmup: 0, chats: 2, file: chats, replay: { documents: 0 } };
    const ready = imitate.ready(options);
    expect(await ready.preview!(context)).toMatch(/Be brief\.[^⟦]*One\?[^⟦]*⟦Yes, one\.<\|im_end\|>⟧[^⟦]*⟦No, two\.<\|im_end\|>⟧/);
    expect(await imitate.ready({ ...options, turns: 'last' }).preview!(context)).toMatch(/^[^⟦]*Yes, one\.[^⟦]*⟦No, two\.<\|im_end\|>⟧/);
    await ready.run(context);
    expectFall(context.history, 0.6);
    writeFileSync(chats, '{"messages": [{"role": "user", "content": "?"}, {"role": "assistnt", "content": "!"}]}');
    await expect(ready.run(context)).rejects.toThrow(/chats\.jsonl:1: messages\.1\.role/);
  });
}); // biome-ignore format: one claim a line
