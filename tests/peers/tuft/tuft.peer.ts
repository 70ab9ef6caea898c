import { readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../../src/engine/http/clock.ts';
import { Secret } from '../../../src/engine/http/secret.ts';
import { readModelFolder } from '../../../src/engine/local/files/model-folder.ts';
import { LoraPolicy } from '../../../src/engine/local/policy/lora-policy.ts';
import { Runtime } from '../../../src/engine/local/runtime/runtime.ts';
import { examine } from '../../../src/tinker/client/conformance.ts';
import { openService, type TinkerConnection } from '../../../src/tinker/client/connection.ts';
import { SampleGate } from '../../../src/tinker/client/sample-gate.ts';
import { TinkerPolicy } from '../../../src/tinker/client/tinker-policy.ts';
import { absence, ServiceProcess } from '../services/service-process.ts';
import { LOSSES, largestDifference, trainSteps } from '../services/training.ts';

const VENV = process.env.UNRUT_TUFT ?? '/tmp/venvs/tuft';
const absent = absence(VENV, 'TuFT', 'tests/peers/tuft/install.sh');
if (absent !== undefined) process.stderr.write(`skipped: ${absent}\n`);

/** The rank at which its alpha, 2 rank, is the 32 of everybody else. */
const ADAPTER = { baseModel: 'organism', rank: 16, seed: 1, trainAttn: true, trainMlp: true, trainUnembed: true };

const adam = { learningRate: 3e-3, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 };

let tuft: ServiceProcess;
let service: TinkerConnection;

describe.skipIf(absent !== undefined)('TuFT, training on a CPU', () => {
  beforeAll(async () => {
    tuft = await ServiceProcess.start((work, port) => {
      const config = join(work, 'config.yaml');
      writeFileSync(config, configOf(work));
      const words = [resolve('tests/peers/tuft/launch.py'), config, String(port)];
      return { command: join(VENV, 'bin/python'), words, env: { PYTHONPATH: resolve('tests/peers/tuft') } };
    });
    const options = { clock: realClock, seed: 1, onWait: () => {} };
    service = await openService(tuft.url, new Secret('tml-x'), options);
  });
  afterAll(() => tuft?.stop());

  it('is found out, and our client comes to the losses, gradients and steps of the embedded engine', async () => {
    const weights = await readModelFolder('models/organism');
    const gate = new SampleGate(realClock);
    const { rules, can, findings } = await examine(service, gate, ADAPTER, { ...weights.config, eos: [1] });
    process.stdout.write(`${findings.map(({ name, found }) => `${name}: ${found}`).join('\n')}\n`);
    expect(rules).toMatchObject({ reduction: 'sum', refusedCounts: false, failedCounts: false, knowsRepeats: false });
    expect([...can].sort()).toEqual(['importance_sampling', 'signed_weights']);
    expect(findings.filter(({ usual }) => !usual).map(({ name }) => name)).toEqual(
      ['repeats', 'refused numbers', 'failed numbers', 'soft targets', 'weights to sample from', 'sampling'], // biome-ignore format: one list
    );

    const policy = new TinkerPolicy(service, gate, { adapter: ADAPTER, rules, limits: weights.config });
    await policy.save(join(tuft.work, 'start'));
    const local = new LoraPolicy(Runtime.open(), weights, ADAPTER);
    await local.loadAdapter(join(tuft.work, 'checkpoints', ...newestAdapter(join(tuft.work, 'checkpoints'))));
    const theirs = await trainSteps(policy, LOSSES, adam);
    const ours = await trainSteps(local, LOSSES, adam);
    process.stdout.write(
      `largest differences: loss ${largestDifference(theirs.losses, ours.losses)}, logprobs after steps ${theirs.logprobs.map((row, step) => largestDifference(row, ours.logprobs[step]!).toExponential(1)).join(', ')}\n`,
    );
    expect(largestDifference(theirs.losses, ours.losses)).toBeLessThan(1e-3);
    expect(largestDifference(theirs.logprobs.flat(), ours.logprobs.flat())).toBeLessThan(1e-3);

    await policy.save(join(tuft.work, 'end'));
    await policy.load(join(tuft.work, 'end'));
    const again = await policy.forward([{ input: [1, 2], targets: [2, 3] }], { kind: 'cross_entropy' });
    const known = await local.forward([{ input: [1, 2], targets: [2, 3] }], { kind: 'cross_entropy' });
    expect(largestDifference([...again.logprobs[0]!], [...known.logprobs[0]!])).toBeLessThan(1e-3);
    await policy.close();
    await local.close();
  });
});

function configOf(work: string): string {
  return `worker_venv_path: ${VENV}
checkpoint_dir: ${join(work, 'checkpoints')}
authorized_users: {tml-x: me}
supported_models:
  - {model_name: organism, model_path: ${resolve('models/organism')}, max_model_len: 160, max_lora_rank: 32, capabilities: [training]}
`;
}

/** Its checkpoints are folders on this disk: MODEL/NAME/adapter, and there is only one. */
function newestAdapter(checkpoints: string): string[] {
  const model = readdirSync(checkpoints)[0]!;
  return [model, readdirSync(join(checkpoints, model))[0]!, 'adapter'];
}
