import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, test } from 'vitest';
import { customLossForwardBackward } from '../../src/engine/custom-loss.ts';
import type { Datum, Loss, SoftTargets } from '../../src/engine/engine.ts';
import { initialWeights, Weights } from '../../src/engine/local/model/weights.ts';
import { LocalPolicy } from '../../src/engine/local/policy/local-policy.ts';
import { cutIntoMicroBatches } from '../../src/engine/local/policy/micro-batch.ts';
import { Runtime, startWorker } from '../../src/engine/local/runtime/runtime.ts';
import { EngineError } from '../../src/errors.ts';
import { stream } from '../../src/random.ts';
import { relativeError } from './golden.ts';
import { tinyConfig, tinyModel } from './tiny-model.ts';

const runtime = Runtime.open(1);
afterAll(() => runtime.close());

const crossEntropy: Loss = { kind: 'cross_entropy' };
const adam = { learningRate: 0.02, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 };

/** Larger than at the start of a training, so that nothing is nearly linear. */
function tinyWeights(seed = 1): Weights {
  const weights = initialWeights(tinyConfig, seed);
  for (const { name, data } of weights.parameters) {
    if (!name.includes('norm')) for (let at = 0; at < data.length; at++) data[at]! *= 15;
  }
  return weights;
}

const open = (weights = tinyWeights(), on = runtime) => new LocalPolicy(on, weights);

/** Weighted sequences of random tokens and lengths, each after the same beginning. */
function someData(count: number, name: string, beginning: readonly number[] = []): Datum[] {
  const draws = stream(1, 'policy test', name);
  const token = () => draws.integer(tinyConfig.vocabSize);
  return Array.from({ length: count }, () => {
    const input = [...beginning, ...Array.from({ length: 3 + draws.integer(18) }, token)];
    return { input, targets: input.map(token), weights: input.map(() => draws.uniform() - 0.3) };
  });
}

/** Its gradient after each of these calls, added up. */
async function gradientAfter(calls: readonly (readonly Datum[])[], loss = crossEntropy): Promise<Float32Array> {
  const policy = open();
  for (const call of calls) await policy.forwardBackward(call, loss);
  return (await policy.gradient()).flat;
}

describe('gradients add up', () => {
  test('over several calls and over micro-batches', async () => {
    const data = someData(60, 'many');
    expect(cutIntoMicroBatches(data, 1024).length).toBeGreaterThan(1);
    const [whole, pieces, single] = [
      await gradientAfter([data]),
      await gradientAfter([data.slice(0, 13), data.slice(13)]),
      await gradientAfter(data.map((datum) => [datum])),
    ];
    expect(relativeError(pieces, whole)).toBeLessThan(1e-5);
    expect(relativeError(single, whole)).toBeLessThan(1e-5);
  });

  test('over samples that share a prompt, which is computed once', async () => {
    const data = someData(9, 'shared', [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const separate: Float32Array[] = [];
    for (const datum of data) separate.push(...(await open().forward([datum], crossEntropy)).logprobs);
    const { logprobs } = await open().forward(data, crossEntropy);
    logprobs.forEach((row, nth) => {
      expect(relativeError(row, separate[nth]!)).toBeLessThan(1e-5);
    });
    const alone = await gradientAfter(data.map((datum) => [datum]));
    expect(relativeError(await gradientAfter([data]), alone)).toBeLessThan(1e-5);
  });

  test('a datum without weight adds nothing, but its logprobs come', async () => {
    const [taught, idle] = someData(2, 'idle') as [Datum, Datum];
    const policy = open();
    const idleToo = { ...idle, weights: idle.input.map(() => 0) };
    const { logprobs } = await policy.forwardBackward([idleToo, taught], crossEntropy);
    expect(logprobs.map((row) => row.length)).toEqual([idle.input.length, taught.input.length]);
    expect((await policy.gradient()).flat).toEqual(await gradientAfter([[taught]]));
  });

  test('hard and soft targets in one batch', async () => {
    const [hard, soft] = someData(2, 'mixed') as [Datum, Datum];
    const tokens = Int32Array.from(soft.input.flatMap((token) => [token, (token + 1) % tinyConfig.vocabSize]));
    const mixed = [
      hard,
      { ...soft, targets: { tokens, probabilities: new Float32Array(tokens.length).fill(0.5), k: 2 } },
    ];
    const alone = await gradientAfter(mixed.map((datum) => [datum]));
    expect(relativeError(await gradientAfter([mixed]), alone)).toBeLessThan(1e-5);
  });
});

describe('a custom loss', () => {
  const data = someData(4, 'custom').map(({ input, targets }) => ({ input, targets }));
  const sum = (row: Float32Array) => row.reduce((total, value) => total + value, 0);

  /** Direct preference optimisation (Rafailov et al. 2023) of data 0 over 1 and 2 over 3, beta 0.1. */
  const preference = (logprobs: readonly Float32Array[]) => {
    const rows = logprobs.map(sum);
    const margins = [0, 2].map((chosen) => 0.1 * (rows[chosen]! - rows[chosen + 1]!));
    const slopes = margins.flatMap((margin) => [-0.1 / (1 + Math.exp(margin)), 0.1 / (1 + Math.exp(margin))]);
    const loss = margins.reduce((total, margin) => total + Math.log1p(Math.exp(-margin)), 0);
    return { loss, gradients: logprobs.map((row, nth) => [...row].map(() => slopes[nth]!)) };
  };

  /** Unlikelihood (Welleck et al. 2020): -log(1 - p). */
  const unlikelihood = (logprobs: readonly Float32Array[]) => ({
    loss: logprobs.reduce((total, row) => total - row.reduce((sum, value) => sum + Math.log1p(-Math.exp(value)), 0), 0),
    gradients: logprobs.map((row) => [...row].map((value) => Math.exp(value) / (1 - Math.exp(value)))),
  });

  test.each([
    ['preference', preference],
    ['unlikelihood', unlikelihood],
  ])('%s has the gradient of its definition', async (name, custom) => {
    const policy = open();
    await customLossForwardBackward(policy, data, custom);
    const gradient = (await policy.gradient()).flat;
    const draws = stream(2, 'direction', name);
    const direction = gradient.map(() => 2 * draws.uniform() - 1);
    const lossAt = async (step: number) => {
      const flat = tinyWeights().flat.map((value, at) => value + step * direction[at]!);
      const { logprobs } = await open(new Weights(tinyConfig, flat)).forward(data, crossEntropy);
      return custom(logprobs).loss;
    };
    const step = 1 / 256;
    const near = (await lossAt(step)) - (await lossAt(-step));
    const far = (await lossAt(2 * step)) - (await lossAt(-2 * step));
    const expected = gradient.reduce((total, value, at) => total + value * direction[at]!, 0);
    expect((8 * near - far) / (12 * step) / expected).toBeCloseTo(1, 2);
  });
});

describe('what is not finite stops the step', () => {
  const data = someData(3, 'broken');

  test('a loss', async () => {
    const weights = tinyWeights();
    weights.get('model.norm.weight').data[2] = Number.NaN;
    await expect(open(weights).forward(data, crossEntropy)).rejects.toThrow(/the loss is NaN/);
  });

  test('a gradient, by the name of its tensor; weights and optimiser stay as they were', async () => {
    const untied = tinyModel({ tie_word_embeddings: false });
    const weights = initialWeights(untied, 1);
    weights.get('model.norm.weight').data.fill(1e6);
    const head = weights.get('lm_head.weight').data;
    head.set(head.map((value) => value / 1e6));
    const [policy, twin] = [open(weights), open(weights)];
    const step = async (each: LocalPolicy) => {
      await each.forwardBackward(data, crossEntropy);
      await each.optimStep({ ...adam, learningRate: 1e-6 });
    };
    await step(policy);
    await step(twin);
    const monster = data.map((datum) => ({ ...datum, weights: datum.input.map(() => 1e33) }));
    await expect(policy.forwardBackward(monster, crossEntropy)).rejects.toThrow(/lm_head\.weight is -?(Infinity|NaN)/);
    await expect(policy.optimStep(adam)).rejects.toThrow(/no optimiser step.*lm_head/);
    expect((await policy.weights()).flat).toEqual((await twin.weights()).flat);
    await step(policy);
    await step(twin);
    expect((await policy.weights()).flat).toEqual((await twin.weights()).flat);
  });
});

describe('the same bytes', () => {
  async function trained(on: Runtime, waits: boolean): Promise<Float32Array> {
    const policy = open(tinyWeights(), on);
    const calls: Promise<unknown>[] = [];
    for (let step = 0; step < 3; step++) {
      calls.push(policy.forwardBackward(someData(40, `a${step}`), crossEntropy));
      calls.push(policy.forwardBackward(someData(25, `b${step}`), crossEntropy), policy.optimStep(adam));
      if (waits) await Promise.all(calls);
    }
    await Promise.all(calls);
    return (await policy.weights()).flat;
  }

  test('again, with two workers, and when no call waits for the one before', async () => {
    const once = await trained(runtime, true);
    const two = Runtime.open(2);
    expect(await trained(runtime, true)).toEqual(once);
    expect(await trained(two, true)).toEqual(once);
    expect(await trained(two, false)).toEqual(once);
    await two.close();
  });
});

describe('workers', () => {
  const data = someData(2, 'workers');

  test('one that dies is an error, and the next run starts another', async () => {
    let started = 0;
    const mortal = Runtime.open(1, () =>
      started++ === 0
        ? new Worker("require('worker_threads').parentPort.on('message', () => process.exit(3))", { eval: true })
        : startWorker(),
    );
    const policy = open(tinyWeights(), mortal);
    await expect(policy.forward(data, crossEntropy)).rejects.toThrow(/worker died with exit code 3/);
    expect((await policy.forward(data, crossEntropy)).logprobs).toHaveLength(2);
    await policy.close();
  });

  test('one that throws is an error with what it said', async () => {
    const faulty = Runtime.open(1, () => new Worker("throw new Error('out of memory')", { eval: true }));
    await expect(open(tinyWeights(), faulty).forward(data, crossEntropy)).rejects.toThrow(/worker died.*out of memory/);
    await faulty.close();
  });

  test('closing rejects what is unfinished and what comes after', async () => {
    const closing = Runtime.open(1);
    const policy = open(tinyWeights(), closing);
    const unfinished = policy.forward(data, crossEntropy);
    const settled = expect(unfinished).rejects.toThrow(/closed/);
    await new Promise(setImmediate);
    await policy.close();
    await settled;
    await expect(policy.forward(data, crossEntropy)).rejects.toThrow(/closed/);
  });
});

describe('bad data is refused by datum and field', () => {
  const good: Datum = { input: [1, 2, 3], targets: [2, 3, 4] };
  const soft: SoftTargets = { tokens: Int32Array.of(1, 2, 3), probabilities: Float32Array.of(1, 1, 1), k: 1 };
  const importance: Loss = { kind: 'importance_sampling' };
  const cases: [string, Datum, Loss, RegExp][] = [
    ['no token', { input: [], targets: [] }, crossEntropy, /datum 1: input is empty/],
    ['too long', longDatum(33), crossEntropy, /datum 1: input has 33 tokens; the model has 32/],
    ['an unknown token', { ...good, input: [1, 11, 3] }, crossEntropy, /datum 1: input\[1\] is 11; ids are 0 to 10/],
    ['a broken token', { ...good, input: [1, 1.5, 3] }, crossEntropy, /datum 1: input\[1\] is 1\.5/],
    ['an unknown target', { ...good, targets: [2, 3, -1] }, crossEntropy, /datum 1: targets\[2\] is -1/],
    [
      'a target missing',
      { ...good, targets: [2, 3] },
      crossEntropy,
      /datum 1: targets has length 2, not the input's 3/,
    ],
    ['a weight missing', { ...good, weights: [1, 1] }, crossEntropy, /datum 1: weights has length 2/],
    ['no number', { ...good, weights: [1, Number.NaN, 1] }, crossEntropy, /datum 1: weights\[1\] is NaN/],
    [
      'a soft target missing',
      { ...good, targets: { ...soft, k: 2 } },
      crossEntropy,
      /datum 1: targets\.tokens has length 3/,
    ],
    ['an unread stream', { ...good, advantages: [1, 1, 1] }, crossEntropy, /datum 1: advantages is given/],
    ['weights for a policy gradient', { ...good, weights: [1, 1, 1] }, importance, /datum 1: logprobs is missing/],
    ['no advantages', { ...good, logprobs: [-1, -1, -1] }, importance, /datum 1: advantages is missing/],
    ['logprobs missing', { ...good, advantages: [1, 0, 1] }, importance, /datum 1: logprobs is missing/],
  ];

  function longDatum(length: number): Datum {
    const input = Array.from({ length }, () => 1);
    return { input, targets: input };
  }

  test.each(cases)('%s', async (_, datum, loss, message) => {
    const first: Datum = loss === importance ? { ...good, logprobs: [-1, -1, -1], advantages: [1, 1, 1] } : good;
    const refused = open().forwardBackward([first, datum], loss);
    await expect(refused).rejects.toBeInstanceOf(EngineError);
    await expect(refused).rejects.toThrow(message);
  });

  test('and stops no step, because nothing was begun', async () => {
    const policy = open();
    await policy.forwardBackward([good], crossEntropy);
    await expect(policy.forwardBackward([{ ...good, weights: [1] }], crossEntropy)).rejects.toThrow(EngineError);
    expect((await policy.optimStep(adam)).step).toBe(1);
  });
});
