import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Policy, Sampler } from '../../../src/engine/engine.ts';
import { realClock } from '../../../src/engine/http/clock.ts';
import { readModelFolder } from '../../../src/engine/local/files/model-folder.ts';
import { LoraPolicy } from '../../../src/engine/local/policy/lora-policy.ts';
import { Runtime } from '../../../src/engine/local/runtime/runtime.ts';
import type { TinkerConnection } from '../../../src/tinker/client/connection.ts';
import { SampleGate } from '../../../src/tinker/client/sample-gate.ts';
import { TinkerPolicy } from '../../../src/tinker/client/tinker-policy.ts';
import type { ServiceProcess } from '../services/service-process.ts';
import { largestDifference, weighted } from '../services/training.ts';
import { absent, adapterOn, COMPILING, open, RULES, startSkyrl, VENV } from './skyrl.ts';

const STEPS = 8;
const adam = { learningRate: 1e-2, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0 };

const TEXTS = weighted(1).map(({ input, targets }) => ({ input, targets }));
const PROMPTS = [[1, 2, 3], TEXTS[2]!.input];

/** The losses of the same few texts, before each step and after the last. */
async function learn(policy: Policy): Promise<number[]> {
  const losses = [];
  for (let step = 0; step < STEPS; step++) {
    const [{ loss }] = await Promise.all([
      policy.forwardBackward(TEXTS, { kind: 'cross_entropy' }),
      policy.optimStep(adam),
    ]);
    losses.push(loss);
  }
  return [...losses, await lossOf(policy)];
}

const lossOf = async (policy: Policy) => (await policy.forward(TEXTS, { kind: 'cross_entropy' })).loss;

/** The likeliest continuations, and their logprobs. */
async function greedy(sampler: Sampler): Promise<{ tokens: number[]; logprobs: number[] }> {
  const how = { maxTokens: 8, temperature: 0, seed: 1, stop: [], samples: 1 };
  const all = (await sampler.sample(PROMPTS, how)).map(([one]) => one!); // one sample a prompt
  return { tokens: all.flatMap(({ tokens }) => tokens), logprobs: all.flatMap(({ logprobs }) => logprobs) };
}

describe.skipIf(absent !== undefined)('SkyRL with a tiny random Qwen3', () => {
  let skyrl: ServiceProcess;
  let service: TinkerConnection;
  let model: string;
  beforeAll(async () => {
    skyrl = await startSkyrl((work) => {
      model = join(work, 'qwen3');
      const maker = [resolve('tests/peers/skyrl/make_qwen3.py'), model, resolve('models/organism')];
      execFileSync(join(VENV, 'bin/python'), maker, { stdio: 'ignore' });
      return model;
    });
    service = await open(skyrl);
  });
  afterAll(() => skyrl?.stop());

  it('learns; what it then is, the embedded engine is with its adapter', { timeout: COMPILING }, async () => {
    const weights = await readModelFolder(model);
    const adapter = adapterOn(model);
    const gate = new SampleGate(realClock);
    const policy = new TinkerPolicy(service, gate, { adapter, rules: RULES, limits: weights.config });
    await policy.download(join(skyrl.work, 'start'));
    const local = new LoraPolicy(Runtime.open(), weights, adapter);
    await local.loadAdapter(join(skyrl.work, 'start'));

    const theirs = await learn(policy);
    const ours = await learn(local);
    const [start, first] = [0, 1].map((step) => Math.abs(theirs[step]! - ours[step]!));
    expect(start).toBeLessThan(1e-3);
    expect(first).toBeLessThan(1e-3); // from the second step on its factors A, shared by q, k, v, go their own way
    expect(theirs.at(-1)).toBeLessThan(0.5 * theirs[0]!);

    await policy.save(join(skyrl.work, 'saved'));
    await policy.load(join(skyrl.work, 'saved'));
    await policy.download(join(skyrl.work, 'end'));
    await local.loadAdapter(join(skyrl.work, 'end'));
    const [again, known] = [await lossOf(policy), await lossOf(local)];
    const [said, expected] = [await greedy(await policy.sampler()), await greedy(await local.sampler())];
    const apart = largestDifference(said.logprobs, expected.logprobs);
    process.stdout.write(
      `losses ${theirs.map((loss) => loss.toFixed(2)).join(' ')}; to the embedded engine's: ${[start!, first!, again - known, apart].map((one) => one.toExponential(1)).join(', ')}\n`,
    );
    expect(again).toBeCloseTo(theirs.at(-1)!, 2);
    expect(known).toBeCloseTo(theirs.at(-1)!, 2);
    expect(said.tokens).toEqual(expected.tokens);
    expect(apart).toBeLessThan(1e-3);
    await policy.close();
    await local.close();
  });
});
