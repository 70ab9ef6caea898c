import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { AdamParams, Datum, Loss } from '../../src/engine/engine.ts';
import { mergedWeights } from '../../src/engine/local/compiler/adapter-graphs.ts';
import { readPeftFolder, writePeftFolder } from '../../src/engine/local/files/peft-folder.ts';
import { type Adapter, factorShapes } from '../../src/engine/local/model/adapter.ts';
import { initialWeights, type Weights, windows } from '../../src/engine/local/model/weights.ts';
import { LocalPolicy } from '../../src/engine/local/policy/local-policy.ts';
import { type LoraOptions, LoraPolicy } from '../../src/engine/local/policy/lora-policy.ts';
import { Runtime } from '../../src/engine/local/runtime/runtime.ts';
import { stream } from '../../src/random.ts';
import { fingerprintFiles } from '../../src/record/fingerprint.ts';
import { relativeError } from './golden.ts';
import { tinyConfig } from './tiny-model.ts';

const runtime = Runtime.open(1);
const folder = mkdtempSync(join(tmpdir(), 'unrut-lora-'));
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

const crossEntropy: Loss = { kind: 'cross_entropy' };
const adam: AdamParams = { learningRate: 0.02, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 };
const options: LoraOptions = { rank: 3, seed: 1, trainAttn: true, trainMlp: true, trainUnembed: true };

/** Large enough that nothing is nearly linear. */
const base = initialWeights(tinyConfig, 1, 0.3);

const data = someData(6);

function someData(count: number): Datum[] {
  const draws = stream(1, 'lora test');
  const token = () => draws.integer(tinyConfig.vocabSize);
  return Array.from({ length: count }, () => {
    const input = Array.from({ length: 3 + draws.integer(12) }, token);
    return { input, targets: input.map(token), weights: input.map(() => draws.uniform() - 0.3) };
  });
}

const open = (changed: Partial<LoraOptions> = {}) => new LoraPolicy(runtime, base, { ...options, ...changed });

async function train(policy: LoraPolicy, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) {
    await policy.forwardBackward(data, crossEntropy);
    await policy.optimStep(adam);
  }
}

async function trained(changed: Partial<LoraOptions> = {}): Promise<LoraPolicy> {
  const policy = open(changed);
  await train(policy, 3);
  return policy;
}

const lossOf = async (weights: Weights): Promise<number> =>
  (await new LocalPolicy(runtime, weights).forward(data, crossEntropy)).loss;

const factorsOf = ({ config, shape, flat }: Adapter) => windows(flat, factorShapes(config, shape));

describe('a fresh adapter', () => {
  test('changes nothing, and adapts what was asked for', async () => {
    const policy = open();
    expect((await policy.forward(data, crossEntropy)).loss).toBeCloseTo(await lossOf(base), 5);
    const layer = 2 * (8 + 16) + 2 * (8 + 8) + 3 * (8 + 12); // query and output, key and value, the MLP
    expect(policy.trained).toBe(3 * (2 * layer + 8 + 11));
    expect(open({ trainUnembed: false }).trained).toBe(3 * 2 * layer);
  });

  test('is another one for another seed, and the same for the same', async () => {
    const [one, again] = [await open().adapter(), await open().adapter()];
    const other = await open({ seed: 2 }).adapter();
    expect(again.flat).toEqual(one.flat);
    expect(other.flat).not.toEqual(one.flat);
    for (const { name, shape, data } of factorsOf(one)) {
      const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      if (name.endsWith('lora_B.weight')) expect(largest).toBe(0);
      else expect(largest * Math.sqrt(shape[1]!)).toBeCloseTo(1, 0);
    }
  });

  test.each([
    [{ rank: 0 }, /rank is 0/],
    [{ rank: 1.5 }, /rank is 1.5/],
    [{ trainAttn: false, trainMlp: false, trainUnembed: false }, /no module is trained/],
  ])('is refused where there is nothing to adapt: %o', (changed, message) => {
    expect(() => open(changed)).toThrow(message);
  });
});

describe('training', () => {
  test('the weights are W + alpha / rank B A, and the embedding stays', async () => {
    const policy = await trained();
    const weights = await policy.weights();
    const factors = new Map(factorsOf(await policy.adapter()).map((each) => [each.name, each]));
    for (const { name, shape, data } of weights.parameters) {
      const original = base.get(name === 'lm_head.weight' ? 'model.embed_tokens.weight' : name).data;
      const [a, b] = ['A', 'B'].map((which) => factors.get(name.replace(/weight$/, `lora_${which}.weight`))?.data);
      if (a === undefined || b === undefined) expect(data).toEqual(original);
      else expect(relativeError(data, plainlyMerged(original, shape, a, b))).toBeLessThan(1e-5);
    }
    expect(weights.config.tiedEmbedding).toBe(false);
  });

  test('the gradient of every factor is that of its finite differences', async () => {
    const policy = await trained();
    await policy.forwardBackward(data, crossEntropy);
    const adapter = await policy.adapter();
    const found = (await policy.gradient()).flat;
    const draws = stream(1, 'directions');
    for (const { name, data: factor } of factorsOf(adapter)) {
      const from = (factor.byteOffset - adapter.flat.byteOffset) / 4;
      const direction = Array.from(factor, () => 2 * draws.uniform() - 1);
      const lossAt = async (step: number) => {
        const flat = adapter.flat.slice();
        direction.forEach((value, at) => {
          flat[from + at]! += step * value;
        });
        return lossOf(await mergedWeights(runtime, base, { ...adapter, flat }));
      };
      const [near, far] = [1 / 256, 1 / 128].map(async (step) => (await lossAt(step)) - (await lossAt(-step)));
      const expected = direction.reduce((sum, value, at) => sum + value * found[from + at]!, 0);
      const scale = Math.hypot(...found.subarray(from, from + factor.length));
      expect(Math.abs((8 * (await near!) - (await far!)) / (12 / 256) - expected), name).toBeLessThan(5e-3 * scale);
    }
  });

  test('lowers the loss with every choice of modules', async () => {
    for (const only of ['trainAttn', 'trainMlp', 'trainUnembed'] as const) {
      const off = { trainAttn: false, trainMlp: false, trainUnembed: false };
      const policy = open({ ...off, [only]: true });
      const { loss } = await policy.forward(data, crossEntropy);
      await train(policy, 3);
      expect((await policy.forward(data, crossEntropy)).loss).toBeLessThan(loss);
    }
  });

  test('leaves a snapshot as it was, and the base', async () => {
    const before = base.flat.slice();
    const policy = await trained();
    const sampler = await policy.sampler();
    const sequences = data.map(({ input }) => input);
    const seen = await sampler.logprobs(sequences);
    await train(policy, 3);
    expect(await sampler.logprobs(sequences)).toEqual(seen);
    expect(await (await policy.sampler()).logprobs(sequences)).not.toEqual(seen);
    expect(base.flat).toEqual(before);
  });

  test('refuses a step whose gradient is not whole, and goes on after it', async () => {
    const [policy, twin] = [await trained(), await trained()];
    const monster = data.map((datum) => ({ ...datum, weights: datum.input.map(() => 1e39) }));
    await expect(policy.forwardBackward(monster, crossEntropy)).rejects.toThrow(/the loss is|the gradient of/);
    await expect(policy.optimStep(adam)).rejects.toThrow(/no optimiser step/);
    expect((await policy.adapter()).flat).toEqual((await twin.adapter()).flat);
    await train(policy, 1);
    await train(twin, 1);
    expect((await policy.adapter()).flat).toEqual((await twin.adapter()).flat);
  });
});

function plainlyMerged(weight: Float32Array, shape: readonly number[], a: Float32Array, b: Float32Array): number[] {
  const width = shape[1]!;
  const { rank } = options;
  return Array.from(weight, (value, at) => {
    const [row, column] = [Math.floor(at / width), at % width];
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += b[row * rank + k]! * a[k * width + column]!;
    return value + (32 / rank) * sum;
  });
}

describe('on disk', () => {
  test('a checkpoint goes on as if nothing had happened, byte for byte', async () => {
    const straight = await trained();
    await straight.save(join(folder, 'half'));
    await train(straight, 3);
    await straight.save(join(folder, 'straight'));
    const resumed = open({ seed: 2 });
    await resumed.load(join(folder, 'half'));
    await train(resumed, 3);
    await resumed.save(join(folder, 'resumed'));
    expect(await fingerprintFiles(join(folder, 'resumed'))).toEqual(await fingerprintFiles(join(folder, 'straight')));
    expect((await resumed.weights()).flat).toEqual((await straight.weights()).flat);
  });

  test('an adapter is read as it was written, without optimiser state too', async () => {
    const policy = await trained();
    const adapter = await policy.adapter();
    await writePeftFolder(join(folder, 'peft'), adapter, 'some/model');
    expect(await readPeftFolder(join(folder, 'peft'), base)).toEqual(adapter);
    const other = open({ seed: 3 });
    await other.loadAdapter(join(folder, 'peft'));
    expect((await other.weights()).flat).toEqual((await policy.weights()).flat);
    await other.forwardBackward(data, crossEntropy);
    expect(await other.optimStep(adam)).toMatchObject({ step: 1 });
  });
});
