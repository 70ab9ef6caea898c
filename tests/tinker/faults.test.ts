import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Datum, Policy } from '../../src/engine/engine.ts';
import { stream } from '../../src/random.ts';
import { EVERY_FAULT, FaultProxy } from './fault-proxy.ts';
import { fastClock, type OurServer, openOurClient, openOurServer } from './our-server.ts';

let server: OurServer;
let folder: string;
beforeAll(async () => {
  server = await openOurServer();
  folder = mkdtempSync(join(tmpdir(), 'unrut-faults-'));
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const STEPS = 8;
const adam = { learningRate: 1e-2, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0 };

function batch(step: number): Datum[] {
  const draws = stream(step, 'batch');
  const ids = Array.from({ length: 10 }, () => draws.integer(20));
  return [{ input: ids.slice(0, -1), targets: ids.slice(1) }];
}

/**
 * Trains, saves and samples on the way. Of the samples the tokens count: their logprobs hang, in the last digit, on what
 * the server happens to compute together.
 */
async function train(url: string, name: string): Promise<{ seen: unknown; adapter: string }> {
  const { policy } = await openOurClient(url, server, fastClock);
  const seen = [];
  for (let step = 0; step < STEPS; step++) {
    const groups = await (await policy.sampler()).sample([[1, 2], [3]], sampling(step));
    seen.push(groups.flat().map(({ tokens }) => tokens));
    await trainStep(policy, step);
    if (step % 3 === 2) await policy.save(join(folder, `${name}-${step}`));
  }
  await policy.download(join(folder, name));
  await policy.close();
  return { seen, adapter: readFileSync(join(folder, name, 'adapter_model.safetensors')).toString('base64') };
}

const sampling = (seed: number) => ({ maxTokens: 4, temperature: 1, seed, stop: [], samples: 2 });

function trainStep(policy: Policy, step: number) {
  const passes = [0, 100].map((more) => policy.forwardBackward(batch(step + more), { kind: 'cross_entropy' }));
  return Promise.all([...passes, policy.optimStep(adam)]);
}

describe('between client and server', () => {
  it('whatever becomes of requests and answers, the trained weights are the same bytes', async () => {
    const undisturbed = await train(server.url, 'undisturbed');
    for (const seed of [1, 2]) {
      const proxy = await FaultProxy.open(server.url, EVERY_FAULT, seed);
      expect(await train(proxy.url, `disturbed-${seed}`)).toEqual(undisturbed);
      expect(Object.keys(proxy.counts).sort()).toEqual(Object.keys(EVERY_FAULT).sort()); // each came up
      await proxy.close();
    }
  });
});
