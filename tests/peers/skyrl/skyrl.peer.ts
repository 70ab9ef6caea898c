import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatFormat } from '../../../src/chat/chat-format.ts';
import { realClock } from '../../../src/engine/http/clock.ts';
import { readModelFolder } from '../../../src/engine/local/files/model-folder.ts';
import { LoraPolicy } from '../../../src/engine/local/policy/lora-policy.ts';
import { Runtime } from '../../../src/engine/local/runtime/runtime.ts';
import { examine } from '../../../src/tinker/client/conformance.ts';
import type { TinkerConnection } from '../../../src/tinker/client/connection.ts';
import { SampleGate } from '../../../src/tinker/client/sample-gate.ts';
import { TinkerPolicy } from '../../../src/tinker/client/tinker-policy.ts';
import type { ServiceProcess } from '../services/service-process.ts';
import { LOSSES, largestDifference, trainSteps } from '../services/training.ts';
import { absent, adapterOn, COMPILING, open, RULES, startSkyrl } from './skyrl.ts';

const MODEL = resolve('models/organism');

/** This server clips nothing. */
const adam = { learningRate: 3e-3, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.01 };

describe.skipIf(absent !== undefined)('SkyRL, its JAX backend on a CPU', () => {
  const gate = new SampleGate(realClock);
  let skyrl: ServiceProcess;
  let service: TinkerConnection;
  beforeAll(async () => {
    skyrl = await startSkyrl(() => MODEL);
    service = await open(skyrl);
  });
  afterAll(() => skyrl?.stop());

  it('is found out by measurement', { timeout: COMPILING }, async () => {
    const { config } = await readModelFolder(MODEL);
    const { stop: eos } = await ChatFormat.open(MODEL);
    const { rules, can, findings } = await examine(service, gate, adapterOn(MODEL), { ...config, eos });
    process.stdout.write(`${findings.map(({ name, found }) => `${name}: ${found}`).join('\n')}\n`);
    expect(rules).toEqual(RULES);
    expect([...can].sort()).toEqual(['importance_sampling', 'sampling', 'signed_weights']);
    const odd = findings.filter(({ usual }) => !usual).map(({ name }) => name);
    expect(odd).toEqual(
      ['refused numbers', 'losses add up', 'losses', 'soft targets', 'clipping', 'signed weights', 'end of text', 'sampled logprobs', 'top logprobs', 'prompt logprobs'], // biome-ignore format: one list
    );
  });

  it('gives the steps of the embedded engine, asked in other words', { timeout: COMPILING }, async () => {
    const weights = await readModelFolder(MODEL);
    const policy = new TinkerPolicy(service, gate, { adapter: adapterOn(MODEL), rules: RULES, limits: weights.config });
    await policy.download(join(skyrl.work, 'start'));
    const local = new LoraPolicy(Runtime.open(), weights, adapterOn(MODEL));
    await local.loadAdapter(join(skyrl.work, 'start'));
    const losses = LOSSES.filter(({ kind }) => kind !== 'dro');
    const theirs = await trainSteps(policy, losses, adam);
    const ours = await trainSteps(local, losses, adam);
    process.stdout.write(
      `largest differences: losses ${largestDifference(theirs.losses, ours.losses).toExponential(1)}, gradient norms ${largestDifference(theirs.gradientNorms, ours.gradientNorms).toExponential(1)}, logprobs after each step ${theirs.logprobs.map((row, step) => largestDifference(row, ours.logprobs[step]!).toExponential(1)).join(', ')}\n`,
    );
    expect(largestDifference(theirs.losses, ours.losses)).toBeLessThan(1e-3);
    expect(largestDifference(theirs.gradientNorms, ours.gradientNorms)).toBeLessThan(1e-2);
    expect(largestDifference(theirs.logprobs.flat(), ours.logprobs.flat())).toBeLessThan(1e-2);

    await policy.save(join(skyrl.work, 'saved'));
    await policy.load(join(skyrl.work, 'saved'));
    const text = [{ input: [1, 2, 3], targets: [2, 3, 4] }];
    const again = await policy.forward(text, { kind: 'cross_entropy' });
    const known = await local.forward(text, { kind: 'cross_entropy' });
    expect(largestDifference([...again.logprobs[0]!], [...known.logprobs[0]!])).toBeLessThan(1e-2);
    const sampler = await policy.sampler();
    const sampled = await sampler.sample([[1, 2, 3]], { maxTokens: 8, temperature: 1, seed: 1, stop: [], samples: 2 });
    expect(sampled[0]!.map(({ tokens }) => tokens.length)).toEqual([8, 8]);
    await policy.close();
    await local.close();
  });
});
