import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { readModelFolder, writeModelFolder } from '../../src/engine/local/files/model-folder.ts';
import { readPeftFolder, writePeftFolder } from '../../src/engine/local/files/peft-folder.ts';
import { modulesOf } from '../../src/engine/local/model/adapter.ts';
import { parseConfig, readConfig } from '../../src/engine/local/model/architectures.ts';
import type { Weights } from '../../src/engine/local/model/weights.ts';
import { LocalPolicy } from '../../src/engine/local/policy/local-policy.ts';
import { LoraPolicy } from '../../src/engine/local/policy/lora-policy.ts';
import { Runtime } from '../../src/engine/local/runtime/runtime.ts';
import { golden, weightsOf } from './architecture-golden.ts';
import { relativeError } from './golden.ts';

const runtime = Runtime.open(1);
const root = mkdtempSync(join(tmpdir(), 'unrut-architectures-'));
afterAll(async () => {
  await runtime.close();
  rmSync(root, { recursive: true });
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(root, 'model-'));
});

const crossEntropy = { kind: 'cross_entropy' } as const;
const adam = { learningRate: 0.02, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 };
const data = [{ input: golden.text.slice(0, -1), targets: golden.text.slice(1) }];

const open = (name: string): Weights => {
  const found = golden.models.find((model) => model.name === name);
  return weightsOf(parseConfig(name, found?.config ?? {}));
};

test.each(golden.models)('$name is read as it was written', async ({ name }) => {
  const weights = open(name);
  await writeModelFolder(folder, weights);
  const read = await readModelFolder(folder);
  const { huggingFace: _ours, ...ours } = weights.config;
  expect(read.config).toMatchObject(ours);
  expect(read.flat).toEqual(weights.flat);
});

/** One of each family. */
const families = golden.models.filter(({ gradients }) => gradients !== undefined);

describe.each(families)('an adapter on $name', ({ name }) => {
  const base = open(name);

  async function trained(): Promise<LoraPolicy> {
    const options = { rank: 3, seed: 1, trainAttn: true, trainMlp: true, trainUnembed: true };
    const policy = new LoraPolicy(runtime, base, options);
    for (let step = 0; step < 2; step++) {
      await policy.forwardBackward(data, crossEntropy);
      await policy.optimStep(adam);
    }
    return policy;
  }

  test('gives the same beside weights that stay in their file', async () => {
    await writeModelFolder(folder, base);
    const mapped = await readModelFolder(folder, 0);
    expect(mapped.stored).toBeDefined();
    const options = { rank: 3, seed: 1, trainAttn: true, trainMlp: true, trainUnembed: true };
    const [near, far] = [base, mapped].map((weights) => new LoraPolicy(runtime, weights, options)) as [
      LoraPolicy,
      LoraPolicy,
    ];
    for (const policy of [near, far]) await policy.forwardBackward(data, crossEntropy);
    const [one, other] = [await near.gradient(), await far.gradient()];
    expect(relativeError(other.flat, one.flat)).toBeLessThan(1e-5);
    const text = [[...golden.text]];
    const [[given], [found]] = [
      await (await near.sampler()).logprobs(text),
      await (await far.sampler()).logprobs(text),
    ];
    expect(relativeError(found!.slice(1), given!.slice(1))).toBeLessThan(1e-5); // one text, one row
  });

  test('adapts every matrix, and is put in by whoever reads its folder', async () => {
    const policy = await trained();
    const { loss } = await policy.forward(data, crossEntropy);
    const adapter = await policy.adapter();
    expect(adapter.shape.modules).toEqual(modulesOf(base.config));
    await writeModelFolder(folder, base);
    const plain = await new LocalPolicy(runtime, await readModelFolder(folder)).forward(data, crossEntropy);
    expect(Math.abs(plain.loss - loss)).toBeGreaterThan(1);

    await writePeftFolder(join(folder, 'apart'), adapter);
    for (const file of ['adapter_config.json', 'adapter_model.safetensors']) {
      copyFileSync(join(folder, 'apart', file), join(folder, file));
    }
    const read = new LocalPolicy(runtime, await readModelFolder(folder));
    expect((await read.forward(data, crossEntropy)).loss).toBeCloseTo(loss, 3);
  });
});

test('an adapter for matrices that the base has fused is refused', async () => {
  const [apart, fused] = ['llama llama3', 'phi3 window'].map(open) as [Weights, Weights]; // both are there
  const options = { rank: 3, seed: 1, trainAttn: true, trainMlp: false, trainUnembed: false };
  await writePeftFolder(folder, await new LoraPolicy(runtime, apart, options).adapter());
  await expect(readPeftFolder(folder, fused)).rejects.toThrow(
    /adapter_config.json: target_modules has q_proj, which Phi3ForCausalLM does not have; it has qkv_proj, o_proj/,
  );
  await expect(readConfig(folder)).rejects.toThrow(/holds an adapter alone; copy its adapter_\* files into the folder/);
});
