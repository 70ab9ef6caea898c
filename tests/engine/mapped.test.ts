import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import type { Datum, Loss, SamplingParams, Sequence } from '../../src/engine/engine.ts';
import { chunksOf } from '../../src/engine/local/compiler/head.ts';
import { readModelFolder, writeModelFolder } from '../../src/engine/local/files/model-folder.ts';
import type { ModelConfig } from '../../src/engine/local/model/model-config.ts';
import { initialWeights, type Weights } from '../../src/engine/local/model/weights.ts';
import { LocalPolicy } from '../../src/engine/local/policy/local-policy.ts';
import { LoraPolicy } from '../../src/engine/local/policy/lora-policy.ts';
import { Runtime } from '../../src/engine/local/runtime/runtime.ts';
import { LocalSampler } from '../../src/engine/local/sampling/local-sampler.ts';
import { stream } from '../../src/random.ts';
import { relativeError } from './golden.ts';
import { joinFile, narrowed, parseFile } from './safetensors-file.ts';
import { QWEN2, QWEN3, tinyModel } from './tiny-model.ts';

/** @file Weights that graphs map from their file do what weights in memory do. */

const runtime = Runtime.open(2);
const folder = mkdtempSync(join(tmpdir(), 'unrut-mapped-'));
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

const crossEntropy: Loss = { kind: 'cross_entropy' };
const adam = { learningRate: 0.02, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 };
const lora = { rank: 3, seed: 1, trainAttn: true, trainMlp: true, trainUnembed: true };

let folders = 0;

/** The same weights, in memory and in a file. */
async function bothWays(changes: Readonly<Record<string, unknown>>): Promise<{ memory: Weights; mapped: Weights }> {
  const config = tinyModel({ max_position_embeddings: 256, ...changes });
  const at = join(folder, String(folders++));
  mkdirSync(at);
  await writeModelFolder(at, initialWeights(config, 1, 0.3));
  const mapped = await readModelFolder(at, 0);
  expect(mapped.stored).toBeDefined();
  const memory = await readModelFolder(at);
  expect(memory.stored).toBeUndefined();
  return { memory, mapped };
}

function someData({ vocabSize }: ModelConfig, count: number): Datum[] {
  const draws = stream(1, 'mapped test');
  const token = () => draws.integer(vocabSize);
  return Array.from({ length: count }, () => {
    const input = Array.from({ length: 3 + draws.integer(12) }, token);
    return { input, targets: input.map(token), weights: input.map((_, at) => (at < 2 ? 0 : draws.uniform() - 0.3)) };
  });
}

async function trained(base: Weights, data: readonly Datum[]): Promise<LoraPolicy> {
  const policy = new LoraPolicy(runtime, base, lora);
  for (let step = 0; step < 2; step++) {
    await policy.forwardBackward(data, crossEntropy);
    await policy.optimStep(adam);
  }
  return policy;
}

const variants = {
  tied: {},
  untied: { tie_word_embeddings: false },
  'biases (Qwen2)': QWEN2,
  'head norms (Qwen3)': QWEN3,
  'a large vocabulary': { vocab_size: 8192 },
  'sliding windows': { architectures: ['MistralForCausalLM'], model_type: 'mistral', sliding_window: 5 },
};

describe.each(Object.entries(variants))('mapped: %s', (_, changes) => {
  test('losses, logprobs and gradients of an adapter are those beside weights in memory', async () => {
    const { memory, mapped } = await bothWays(changes);
    const data = someData(memory.config, 6);
    const [one, other] = [await trained(memory, data), await trained(mapped, data)];
    const [expected, found] = [
      await one.forwardBackward(data, crossEntropy),
      await other.forwardBackward(data, crossEntropy),
    ];
    expect(found.loss).toBeCloseTo(expected.loss, 4);
    found.logprobs.forEach((row, nth) => {
      expect(relativeError(row, expected.logprobs[nth]!)).toBeLessThan(1e-5);
    });
    const [wanted, gradient] = [await one.gradient(), await other.gradient()];
    for (const [nth, { name, data }] of gradient.parameters.entries()) {
      expect(relativeError(data, wanted.parameters[nth]!.data), name).toBeLessThan(2e-4);
    }
  });

  test('samplers of an adapter say what those of merged weights say', async () => {
    const { memory, mapped } = await bothWays(changes);
    const data = someData(memory.config, 6);
    const sequences = data.map(({ input }) => input);
    const policy = await trained(mapped, data);
    const beside = await policy.sampler();
    const merged = new LocalSampler(runtime, await policy.weights());
    await expectSameScores(beside, merged, sequences);
    await expectSameScores(new LocalSampler(runtime, mapped), new LocalSampler(runtime, memory), sequences);
    const how = { maxTokens: 90, temperature: 1, seed: 5, stop: [2], samples: 3 };
    expectSameTexts(await beside.sample(sequences, how), await merged.sample(sequences, how));
  });
});

async function expectSameScores(
  found: LocalSampler | Awaited<ReturnType<LoraPolicy['sampler']>>,
  expected: LocalSampler,
  sequences: readonly (readonly number[])[],
): Promise<void> {
  const [ours, theirs] = [await found.logprobs(sequences), await expected.logprobs(sequences)];
  ours.forEach((row, nth) => {
    expect(relativeError(row.subarray(1), theirs[nth]!.subarray(1))).toBeLessThan(1e-5);
  });
  const from = sequences.map(({ length }) => length - 2);
  const [top, all] = [await found.topLogprobs(sequences, 3, from), await expected.topLogprobs(sequences, 3)];
  top.forEach(({ tokens, logprobs }, nth) => {
    const first = 3 * from[nth]!;
    expect(tokens.subarray(first)).toEqual(all[nth]!.tokens.subarray(first));
    expect(relativeError(logprobs.subarray(first), all[nth]!.logprobs.subarray(first))).toBeLessThan(1e-5);
  });
}

function expectSameTexts(found: readonly Sequence[][], expected: readonly Sequence[][]): void {
  expect(found.map((each) => each.map(({ tokens }) => tokens))).toEqual(
    expected.map((each) => each.map(({ tokens }) => tokens)),
  );
  found.flat().forEach(({ logprobs, stopReason }, nth) => {
    expect(relativeError(logprobs, expected.flat()[nth]!.logprobs)).toBeLessThan(1e-4);
    expect(stopReason).toBe(expected.flat()[nth]!.stopReason);
  });
}

describe('decoding step by step', () => {
  const prompts = [[1, 2, 3, 4, 5, 6, 7], [3], [5, 1], [9, 8, 7, 6]];
  const plain: SamplingParams = { maxTokens: 140, temperature: 1, seed: 3, stop: [], samples: 1 };

  test.each<[string, Partial<SamplingParams>]>([
    ['greedy', { temperature: 0 }],
    ['drawn, beyond the first block of the cache', {}],
    ['filtered', { topK: 4, topP: 0.8, temperature: 0.7 }],
    ['tempered', { tempered: true, temperature: 2 }],
    ['several samples, ended by stop tokens at unlike times', { samples: 5, stop: [4, 9] }],
    ['a seed for each prompt', { seeds: [7, 8, 9, 10] }],
    ['one token', { maxTokens: 1 }],
  ])('%s', async (_, changes) => {
    const { memory, mapped } = await bothWays({});
    const how = { ...plain, ...changes };
    const found = await new LocalSampler(runtime, mapped).sample(prompts, how);
    expectSameTexts(found, await new LocalSampler(runtime, memory).sample(prompts, how));
  });

  test('tells each token in its order before the whole is there', async () => {
    const { mapped } = await bothWays({});
    const how = { ...plain, maxTokens: 9, samples: 2, stop: [4] };
    const told: number[][][] = prompts.map(() => [[], []]);
    let isDone = false;
    const result = await new LocalSampler(runtime, mapped).sample(prompts, how, (prompt, sample, token) => {
      expect(isDone).toBe(false);
      told[prompt]![sample]!.push(token);
    });
    isDone = true;
    expect(told).toEqual(result.map((each) => each.map(({ tokens }) => tokens)));
  });

  test('one worker and two draw the same, and more rows than one batch holds', async () => {
    const { mapped } = await bothWays({});
    const alone = Runtime.open(1);
    const how = { ...plain, maxTokens: 6, samples: 40 };
    const found = await new LocalSampler(runtime, mapped).sample(prompts, how);
    expect(await new LocalSampler(alone, mapped).sample(prompts, how)).toEqual(found);
    await alone.close();
  });
});

describe('a large vocabulary in chunks', () => {
  test('the gradient of everything is that of its finite differences', async () => {
    const config = tinyModel({ vocab_size: 8192 });
    const weights = initialWeights(config, 1, 0.3);
    const data = someData(config, 4);
    const policy = new LocalPolicy(runtime, weights);
    await policy.forwardBackward(data, crossEntropy);
    const gradient = await policy.gradient();
    const lossAt = async (name: string, direction: readonly number[], step: number) => {
      const moved = weights.copy();
      const { data: values } = moved.get(name);
      direction.forEach((value, at) => {
        values[at]! += step * value;
      });
      return (await new LocalPolicy(runtime, moved).forward(data, crossEntropy)).loss;
    };
    const draws = stream(1, 'directions');
    for (const { name, data: slope } of gradient.parameters) {
      const direction = Array.from(slope, () => 2 * draws.uniform() - 1);
      const losses = [1 / 512, 1 / 256].map(
        async (step) => (await lossAt(name, direction, step)) - (await lossAt(name, direction, -step)),
      );
      const [near, far] = (await Promise.all(losses)) as [number, number];
      const expected = direction.reduce((sum, value, at) => sum + value * slope[at]!, 0);
      expect(Math.abs((8 * near - far) / (12 / 512) - expected), name).toBeLessThan(
        2e-2 * Math.hypot(...slope.filter((value) => value !== 0)),
      );
    }
  });

  test('more rows than a chunk holds add up to what they do alone', async () => {
    const config = tinyModel({ vocab_size: 8192 });
    const input = Array.from({ length: 20 }, (_, at) => 37 * at);
    const datum = {
      input,
      targets: input.map((token) => token + 1),
      weights: input.map((_, at) => Math.max(0, at - 4)),
    };
    const weights = initialWeights(config, 1, 0.3);
    const times = 100; // they share their rows, so they stay together
    const [one, many] = [new LocalPolicy(runtime, weights), new LocalPolicy(runtime, weights)];
    const single = await one.forwardBackward([datum], crossEntropy);
    const all = await many.forwardBackward(Array(times).fill(datum), crossEntropy);
    expect(all.loss / times).toBeCloseTo(single.loss, 3);
    expect(chunksOf(times * datum.weights.filter((weight) => weight !== 0).length, config).count).toBeGreaterThan(1);
    for (const row of all.logprobs) expect(relativeError(row, single.logprobs[0]!)).toBeLessThan(1e-5);
    const scaled = (await one.gradient()).flat.map((value) => times * value);
    expect(relativeError((await many.gradient()).flat, scaled)).toBeLessThan(1e-5);
  });
});

describe('weights that cannot be mapped as they are', () => {
  const cache = join(folder, 'cache');

  async function narrowFolder(): Promise<string> {
    const at = join(folder, String(folders++));
    mkdirSync(at);
    await writeModelFolder(at, initialWeights(tinyModel(), 1, 0.3));
    const path = join(at, 'model.safetensors');
    writeFileSync(path, joinFile(narrowed(parseFile(readFileSync(path)), 'BF16')));
    return at;
  }

  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test('are widened once into the cache, and anew when the file has changed', async () => {
    vi.stubEnv('XDG_CACHE_HOME', cache);
    const at = await narrowFolder();
    const [first, again] = [await readModelFolder(at, 0), await readModelFolder(at, 0)];
    expect(first.stored?.folder).toBe(join(cache, 'unrut', 'float32'));
    expect(again.stored?.file).toBe(first.stored?.file);
    expect(first.flat).toEqual((await readModelFolder(at)).flat);
    expect(readdirSync(join(cache, 'unrut', 'float32'))).toEqual([first.stored?.file]);
    const later = new Date(Date.now() + 5000);
    utimesSync(join(at, 'model.safetensors'), later, later);
    expect((await readModelFolder(at, 0)).stored?.file).not.toBe(first.stored?.file);
  });

  test('are read into memory where the cache cannot be written', async () => {
    const blocked = join(folder, 'blocked');
    writeFileSync(blocked, '');
    vi.stubEnv('XDG_CACHE_HOME', blocked);
    const at = await narrowFolder();
    const read = await readModelFolder(at, 0);
    expect(read.stored).toBeUndefined();
    expect(read.flat).toEqual((await readModelFolder(at)).flat);
  });

  test('a file behind a link is mapped where it lies', async () => {
    const { memory } = await bothWays({});
    const at = join(folder, String(folders++));
    mkdirSync(at);
    await writeModelFolder(at, memory);
    renameSync(join(at, 'model.safetensors'), join(folder, 'blob'));
    symlinkSync(join(folder, 'blob'), join(at, 'model.safetensors'));
    const mapped = await readModelFolder(at, 0);
    expect(mapped.stored).toMatchObject({ file: 'blob' });
    await expectSameScores(new LocalSampler(runtime, mapped), new LocalSampler(runtime, memory), [[1, 2, 3]]);
  });
});
