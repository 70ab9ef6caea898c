import { afterAll, describe, expect, it } from 'vitest';
import type { Datum, Policy, Sampler } from '../../src/engine/engine.ts';
import { RIGHT, workInProgress } from '../../src/problems/problem-family.ts';
import { stream } from '../../src/random.ts';
import type { Model } from '../../src/recipe/run-parts.ts';
import { distil } from '../../src/stages/distil.ts';
import { adamAt } from '../../src/stages/optimiser.ts';
import { balanced, openOwnWork } from '../../src/stages/own-work.ts';
import { openReplay, replayOptions } from '../../src/stages/replay.ts';
import { unloop } from '../../src/stages/unloop.ts';
import type { OwnWork } from '../../src/wrong-turns/draw-start.ts';
import { randomChatModel } from '../cli/chat-model-folder.ts';
import { openModel, stageContext } from './context.ts';

const open: Model[] = [];
afterAll(() => Promise.all(open.map(({ policy }) => policy.close())));
async function kept(folder: string): Promise<Model> {
  const model = await openModel(folder);
  open.push(model);
  return model;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
const STILL = adamAt(0, { steps: 1, learningRate: 1e-12, warmup: 0, hold: 1, floor: 0 });

describe('replay', () => {
  it.each([
    ['the organism, on its own text', async () => 'models/organism', undefined],
    ['a chat model, on its replies to ordinary prompts', randomChatModel, 'dictionary-sum'],
  ] as const)('asks nothing of %s, while it is what it was', async (_, folder, family) => {
    const model = await kept(await folder());
    const context = await stageContext(model, family === undefined ? {} : { family });
    const data = await (await openReplay(context, replayOptions.parse({ documents: 4, weight: 3 })))(stream(1), 0);
    expect(data).toHaveLength(4);
    expect(sum(data.flatMap(({ weights }) => [...weights!]))).toBeCloseTo(3, 9);
    await model.policy.forwardBackward(data, { kind: 'cross_entropy' });
    const { gradientNorm } = await model.policy.optimStep(STILL);
    const hard = data.map((datum): Datum => ({ ...datum, targets: [...datum.input.slice(1), 0] }));
    await model.policy.forwardBackward(hard, { kind: 'cross_entropy' });
    const other = await model.policy.optimStep(STILL);
    expect(gradientNorm).toBeLessThan(0.1 * other.gradientNorm);
  });
});

describe('distil', () => {
  it('favours what the teacher finds likelier, where only sampled tokens can be judged', async () => {
    const model = await kept('models/organism');
    const batches: Datum[][] = [];
    const policy: Policy = recording(model.policy, batches);
    for (const [teacher, sign] of [[-1e-3, 1], [-50, -1]] as const) {
      batches.length = 0;
      const reference: Sampler = { ...model.reference, logprobs: async (texts) => texts.map((text) => new Float32Array(text.length).fill(teacher)) };
      const context = { ...(await stageContext(model)), can: () => false, policy, reference };
      await distil.ready({ steps: 1, learningRate: 1e-12, contexts: 4, arms: { excuse: 1 }, replay: { documents: 0 } }).run(context);
      const advantages = batches.flat().flatMap(({ advantages: stream = [] }) => stream.filter((one) => one !== 0));
      expect(advantages.length).toBeGreaterThan(0);
      expect(sign * sum(advantages)).toBeGreaterThan(0);
    }
  }); // biome-ignore format: one statement a line

  it('teaches the rest of the work and no more, at the places where it was written', async () => {
    const model = await kept('models/organism');
    const batches: Datum[][] = [];
    const context = { ...(await stageContext(model)), policy: recording(model.policy, batches) };
    await distil
      .ready({ steps: 1, learningRate: 1e-12, contexts: 8, arms: { excuse: 1 }, replay: { documents: 0 } })
      .run(context);
    const data = batches.flat();
    expect(sum(data.flatMap(({ weights }) => [...weights!]))).toBeCloseTo(1, 6);
    for (const { input, weights } of data) {
      const text = context.format.decode(input);
      const from = weights!.findIndex((weight) => weight > 0);
      expect(text.slice(0, from + 1)).toMatch(/^U[a-p0-9]+\|[a-p]+ES(?:[a-p]\d\d)+$/);
      expect(weights!.slice(from).every((weight) => weight > 0)).toBe(true);
    }
  });
});

function recording(policy: Policy, batches: Datum[][]): Policy {
  return {
    forward: (batch, loss) => policy.forward(batch, loss),
    forwardBackward: (batch, loss) => {
      batches.push([...batch]);
      return policy.forwardBackward(batch, loss);
    },
    optimStep: (adam) => policy.optimStep(adam),
    sampler: () => policy.sampler(),
    save: (folder) => policy.save(folder),
    load: (folder) => policy.load(folder),
    close: () => policy.close(),
  };
}

describe('unloop', () => {
  it('widens the margin between the way on and one copy more', async () => {
    const model = await kept('models/organism');
    const context = await stageContext(model);
    const options = { steps: 8, learningRate: 2e-4, warmup: 0, hold: 1, weight: 1, onsets: 16 };
    await unloop.ready({ ...options, anchor: { lessons: 0 }, replay: { documents: 0 } }).run(context);
    const losses = context.history.map(({ loss }) => loss!);
    expect(losses.at(-1)!).toBeLessThan(0.8 * losses[0]!);
  });
});

describe('own work', () => {
  it('is wrong in the share asked for, and never without its wrong work', () => {
    const work = (right: boolean): OwnWork => ({ problem: 0, steps: [{ text: 'a11', right, locallyRight: right }], ends: [3], tokens: [1, 2, 3] }); // biome-ignore format: one line
    const works = [...Array(6).fill(work(false)), ...Array(30).fill(work(true))];
    const kept = balanced(works, 0.6);
    expect(kept.filter(({ steps }) => !steps[0]!.right)).toHaveLength(6);
    expect(kept).toHaveLength(10);
    expect(balanced(works, 1)).toHaveLength(6);
  });

  it('keeps its tokens, and is the same when it is recalled', async () => {
    const model = await kept('models/organism');
    const context = await stageContext(model);
    const options = { refresh: 4, pool: 160 };
    const pool = await openOwnWork(context, options, 0.6)(0);
    expect(pool.length).toBeGreaterThan(20);
    for (const { steps, tokens, ends, problem } of pool) {
      expect(context.format.decode(tokens)).toBe(workInProgress(steps));
      expect(ends).toEqual(steps.map((_, at) => 3 * (at + 1)));
      expect(context.family.work(problem, () => RIGHT, stream(1))).toHaveLength(steps.length);
    }
    expect(await openOwnWork(context, options, 0.6)(2)).toEqual(pool); // as after a resume
  });
});
