import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Datum, Loss, Policy } from '../../src/engine/engine.ts';
import { realClock } from '../../src/engine/http/clock.ts';
import { readPeftFolder } from '../../src/engine/local/files/peft-folder.ts';
import { LoraPolicy } from '../../src/engine/local/policy/lora-policy.ts';
import { EndpointError, EngineError } from '../../src/errors.ts';
import { stream } from '../../src/random.ts';
import { examine } from '../../src/tinker/client/conformance.ts';
import { SampleGate } from '../../src/tinker/client/sample-gate.ts';
import { ADAPTER, type OurServer, openOurClient, openOurServer } from './our-server.ts';

let server: OurServer;
let folder: string;
beforeAll(async () => {
  server = await openOurServer();
  folder = mkdtempSync(join(tmpdir(), 'unrut-client-'));
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
  expect(server.faults).toEqual([]);
});

const adam = { learningRate: 1e-2, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 };

const CROSS_ENTROPY: Loss = { kind: 'cross_entropy' };

function text(seed: number, length: number): number[] {
  const draws = stream(seed, 'text');
  return Array.from({ length }, () => draws.integer(20));
}

function datum(seed: number, length = 9): Datum {
  const ids = text(seed, length + 1);
  return { input: ids.slice(0, -1), targets: ids.slice(1), weights: ids.slice(1).map((id) => id / 10 - 0.5) };
}

function softDatum(seed: number): Datum {
  const { input } = datum(seed);
  const tokens = Int32Array.from(text(seed, 2 * input.length));
  return { input, targets: { tokens, probabilities: Float32Array.from(tokens, (id) => id / 20), k: 2 } };
}

const rewarded = (seed: number): Datum => {
  const { input, targets } = datum(seed);
  return { input, targets, logprobs: input.map(() => -2), advantages: input.map((id) => id / 20 - 0.4) };
};

/** Everything that a stage may do with a policy, as numbers. */
async function workWith(policy: Policy) {
  const losses: Loss[] = [
    { kind: 'importance_sampling' },
    { kind: 'ppo', low: 0.8, high: 1.2 },
    { kind: 'cispo', low: 0.5, high: 2 },
    { kind: 'dro', beta: 0.1 },
  ];
  const outputs = [];
  for (const [step, loss] of losses.entries()) {
    const passes = [
      policy.forwardBackward([datum(step), datum(step + 10, 14)], CROSS_ENTROPY),
      policy.forwardBackward([softDatum(step)], CROSS_ENTROPY),
      policy.forwardBackward([rewarded(step)], loss),
    ];
    const stepped = policy.optimStep(adam);
    outputs.push(await Promise.all([...passes, stepped]));
  }
  const sampler = await policy.sampler();
  const how = { maxTokens: 6, temperature: 1, seed: 0, seeds: [5, 6], stop: [1], samples: 3 };
  const prompts = [text(7, 5), text(8, 3)];
  return {
    outputs,
    forward: await policy.forward([datum(50)], CROSS_ENTROPY),
    samples: await sampler.sample(prompts, how),
    logprobs: await sampler.logprobs(prompts),
    top: await sampler.topLogprobs(prompts, 3),
  };
}

describe('a policy on our server', () => {
  it('comes to the numbers of the policy in this process', async () => {
    const { policy } = await openOurClient(server.url, server);
    const local = new LoraPolicy(server.runtime, server.weights, { ...ADAPTER, baseModel: undefined });
    expect(await workWith(policy)).toEqual(await workWith(local));
    await policy.download(join(folder, 'adapter'));
    const downloaded = await readPeftFolder(join(folder, 'adapter'), server.weights);
    expect(downloaded.flat).toEqual((await local.adapter()).flat);
    await policy.close();
  });

  it('cuts a large batch into requests that add up', async () => {
    const { policy } = await openOurClient(server.url, server);
    const batch = Array.from({ length: 1100 }, (_, at) => ({ ...datum(at, 3), weights: [1, 0, 0] }));
    const whole = await policy.forward(batch, CROSS_ENTROPY);
    expect(whole.logprobs).toHaveLength(1100);
    expect((await policy.forward(batch.slice(1050), CROSS_ENTROPY)).logprobs).toEqual(whole.logprobs.slice(1050));
    await policy.close();
  });

  it('gives untempered logprobs of a tempered sample, and its own cost nothing where nobody reads them', async () => {
    const { policy, base } = await openOurClient(server.url, server);
    const how = { maxTokens: 4, temperature: 2, seed: 1, stop: [], samples: 1 };
    const prompt = text(3, 6);
    const [sampled] = (await base.sample([prompt], how))[0]!;
    const [own] = await base.logprobs([[...prompt, ...sampled!.tokens]]);
    expect(sampled!.logprobs).toEqual([...own!.slice(prompt.length)]);
    await policy.close();
  });

  it('goes on from a checkpoint to the same numbers, in a session of its own', async () => {
    const step = async (policy: Policy, seed: number) => {
      const [output] = await Promise.all([
        policy.forwardBackward([datum(seed)], CROSS_ENTROPY),
        policy.optimStep(adam),
      ]);
      return output;
    };
    const first = await openOurClient(server.url, server);
    await step(first.policy, 1);
    const saved = first.policy.save(join(folder, 'checkpoint'));
    const onward = await step(first.policy, 2); // does not wait for the save, and is not in it
    await saved;
    const further = await step(first.policy, 3);
    await first.policy.close();
    const second = await openOurClient(server.url, server);
    await second.policy.load(join(folder, 'checkpoint'));
    expect(await step(second.policy, 2)).toEqual(onward);
    expect(await step(second.policy, 3)).toEqual(further);
    await second.policy.close();
  });

  it('keeps the last checkpoints on the service and deletes those before them', async () => {
    const { policy } = await openOurClient(server.url, server);
    const paths = [];
    for (let at = 0; at < 5; at++) {
      await policy.save(join(folder, `kept-${at}`));
      paths.push(JSON.parse(readFileSync(join(folder, `kept-${at}`, 'tinker.json'), 'utf8')).path);
    }
    const answer = await fetch(`${server.url}/api/v1/checkpoints`);
    const there = (await answer.json()).checkpoints.map((one: { tinker_path: string }) => one.tinker_path);
    expect(paths.map((path) => there.includes(path))).toEqual([false, false, true, true, true]);
    expect(existsSync(join(folder, 'kept-0'))).toBe(true);
    await policy.close();
  });

  it('refuses bad data here, and does not step on a gradient that is not whole', async () => {
    const { policy } = await openOurClient(server.url, server);
    await expect(policy.forward([{ input: [99], targets: [1] }], CROSS_ENTROPY)).rejects.toThrow(/input\[0\] is 99/);
    const huge = { ...datum(1), weights: datum(1).input.map(() => 1e39) };
    const pass = policy.forwardBackward([huge], CROSS_ENTROPY);
    const step = policy.optimStep(adam);
    await expect(pass).rejects.toThrow(EndpointError);
    await expect(pass).rejects.toThrow(/forward_backward \d+ of model .*:train:0/);
    await expect(step).rejects.toThrow(/forward_backward|optim_step/);
    await expect(policy.optimStep(adam)).rejects.toThrow(EngineError);
    await policy.close();
  });

  it('says of a model that the server does not have which it was asked for', async () => {
    const { service } = await openOurClient(server.url, server);
    const unknown = { ...ADAPTER, baseModel: 'gpt-7' };
    await expect(
      examine(service, new SampleGate(realClock), unknown, { ...server.weights.config, eos: [] }),
    ).rejects.toThrow(/create_model on gpt-7: answers 400: .*gpt-7/);
  });
});

describe('the examination of our server', () => {
  it('finds that it does as the protocol says, and leaves no model behind', async () => {
    const { service } = await openOurClient(server.url, server);
    const base = { ...server.weights.config, eos: server.eos };
    const { rules, can, findings } = await examine(service, new SampleGate(realClock), ADAPTER, base);
    expect(findings.filter(({ usual }) => !usual)).toEqual([]);
    expect(rules.reduction).toBe('sum');
    expect([...can].sort()).toEqual(
      ['importance_sampling', 'sampling', 'signed_weights', 'soft_targets', 'top_logprobs'].sort(),
    );
  });
});
