import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AdamParams, Datum } from '../../src/engine/engine.ts';
import { freshModel, readModelFolder, writeModelFolder } from '../../src/engine/local/files/model-folder.ts';
import { initialWeights } from '../../src/engine/local/model/weights.ts';
import { LocalPolicy } from '../../src/engine/local/policy/local-policy.ts';
import { Runtime } from '../../src/engine/local/runtime/runtime.ts';
import { fingerprintFiles } from '../../src/record/fingerprint.ts';
import { QWEN2, QWEN3, tinyConfig, tinyModel } from './tiny-model.ts';

const runtime = Runtime.open(1);
afterAll(() => runtime.close());

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unrut-model-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a model folder', () => {
  const families: readonly (readonly [string, Record<string, unknown>])[] = [
    ['llama, tied', {}],
    ['llama, untied', { tie_word_embeddings: false }],
    ['qwen2', QWEN2],
    ['qwen3', QWEN3],
  ];
  it.each(families)('is read as it was written: %s', async (_, switches) => {
    const weights = initialWeights(tinyModel(switches), 1);
    weights.get('model.norm.weight').data[0] = Number.NaN;
    await writeModelFolder(folder, weights);
    const read = await readModelFolder(folder);
    expect(read.config).toEqual(weights.config);
    expect(Buffer.from(read.flat.buffer).equals(Buffer.from(weights.flat.buffer))).toBe(true);
  });

  it('lends its shape to fresh weights without having any of its own', async () => {
    const organism = await freshModel('models/organism', 3);
    expect(organism.flat.length).toBe(449_376);
  });
});

describe('a checkpoint of a policy', () => {
  it('goes on as if nothing had happened, byte for byte', async () => {
    const straight = new LocalPolicy(runtime, initialWeights(tinyConfig, 1));
    await train(straight, 0, 3);
    await straight.save(join(folder, 'half'));
    await train(straight, 3, 6);
    await straight.save(join(folder, 'straight'));

    const resumed = new LocalPolicy(runtime, initialWeights(tinyConfig, 2));
    await resumed.load(join(folder, 'half'));
    await train(resumed, 3, 6);
    await resumed.save(join(folder, 'resumed'));
    expect(await fingerprintFiles(join(folder, 'resumed'))).toEqual(await fingerprintFiles(join(folder, 'straight')));
  });
});

const adam: AdamParams = { learningRate: 0.01, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.01 };

async function train(policy: LocalPolicy, from: number, to: number): Promise<void> {
  for (let step = from; step < to; step++) {
    const input = [1, 2, 3, 4].map((token) => (token * (step + 1)) % tinyConfig.vocabSize);
    const data: Datum[] = [{ input, targets: input.toReversed() }];
    await policy.forwardBackward(data, { kind: 'cross_entropy' });
    await policy.optimStep(adam);
  }
}
