import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../../src/engine/endpoint/clock.ts';
import { Secret } from '../../../src/engine/endpoint/secret.ts';
import { LoraPolicy } from '../../../src/engine/local/lora-policy.ts';
import { readModelFolder } from '../../../src/engine/local/model-folder.ts';
import { Runtime } from '../../../src/engine/local/runtime.ts';
import { examine } from '../../../src/engine/tinker/conformance.ts';
import { SampleGate } from '../../../src/engine/tinker/sample-gate.ts';
import { openService, type TinkerService } from '../../../src/engine/tinker/service.ts';
import { TinkerPolicy } from '../../../src/engine/tinker/tinker-policy.ts';
import { absence, ServiceProcess } from '../services/service-process.ts';
import { LOSSES, largestDifference, trainSteps } from '../services/training.ts';

const VENV = process.env.UNRUT_SKYRL ?? '/tmp/venvs/skyrl';
const absent = absence(VENV, 'SkyRL', 'tests/peers/skyrl/install.sh');
if (absent !== undefined) process.stderr.write(`skipped: ${absent}\n`);

const MODEL = resolve('models/organism');

/** The output projection left out: this server would adapt the embedding with it. */
const ADAPTER = { baseModel: MODEL, rank: 8, seed: 1, trainAttn: true, trainMlp: true, trainUnembed: false };

/** This server clips nothing. */
const adam = { learningRate: 3e-3, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.01 };

/** It compiles every shape: minutes on idle cores, and many more on busy ones. */
const COMPILING = 40 * 60_000;

let skyrl: ServiceProcess;
let service: TinkerService;

describe.skipIf(absent !== undefined)('SkyRL, its JAX backend on a CPU', () => {
  beforeAll(async () => {
    skyrl = await ServiceProcess.start((work, port) => {
      const words = ['run', '--no-project', '-m', 'skyrl.tinker.api', '--base-model', MODEL, '--backend', 'jax'];
      const database = ['--database-url', `sqlite:///${work}/t.db`, '--checkpoints-base', join(work, 'ck')];
      const address = ['--host', '127.0.0.1', '--port', String(port), '--backend-config', JSON.stringify(BACKEND)];
      const env = {
        VIRTUAL_ENV: VENV,
        PATH: `${VENV}/bin:${process.env.PATH}`,
        JAX_PLATFORMS: 'cpu',
        HF_HUB_OFFLINE: '1',
      };
      return { command: join(VENV, 'bin/uv'), words: [...words, ...database, ...address], env };
    });
    service = await openService(skyrl.url, new Secret(undefined), { clock: realClock, seed: 1, onWait: () => {} });
  });
  afterAll(() => skyrl?.stop());

  it(
    'is found out, and gives the steps of the embedded engine in other words',
    async () => {
      const weights = await readModelFolder(MODEL);
      const gate = new SampleGate(realClock);
      const { rules, can, findings } = await examine(service, gate, ADAPTER, { ...weights.config, eos: [1] });
      process.stdout.write(`${findings.map(({ name, found }) => `${name}: ${found}`).join('\n')}\n`);
      expect(rules).toEqual({
        refusedCounts: false,
        failedCounts: true,
        knowsRepeats: true,
        reduction: 'mean',
        temperedLogprobs: false,
        namelessSamplers: true,
        topLogprobs: false,
      });
      expect([...can].sort()).toEqual(['importance_sampling', 'sampling', 'signed_weights']);
      for (const name of ['losses add up', 'losses', 'soft targets', 'clipping', 'signed weights', 'prompt logprobs']) {
        expect(findings.find((one) => one.name === name)?.usual, name).toBe(false);
      }

      const policy = new TinkerPolicy(service, gate, { adapter: ADAPTER, rules, limits: weights.config });
      await policy.download(join(skyrl.work, 'start'));
      nameModules(join(skyrl.work, 'start'));
      const local = new LoraPolicy(Runtime.open(), weights, ADAPTER);
      await local.loadAdapter(join(skyrl.work, 'start'));
      const losses = LOSSES.filter(({ kind }) => kind !== 'dro');
      const theirs = await trainSteps(policy, losses, adam);
      const ours = await trainSteps(local, losses, adam);
      process.stdout.write(
        `largest differences: losses ${largestDifference(theirs.losses, ours.losses).toExponential(1)}, gradient norms ${largestDifference(theirs.gradientNorms, ours.gradientNorms).toExponential(1)}, logprobs after each step ${theirs.logprobs.map((row, step) => largestDifference(row, ours.logprobs[step]!).toExponential(1)).join(', ')}\n`,
      );
      expect(largestDifference(theirs.losses, ours.losses)).toBeLessThan(1e-3);
      expect(largestDifference(theirs.logprobs.flat(), ours.logprobs.flat())).toBeLessThan(1e-2);

      await policy.save(join(skyrl.work, 'saved'));
      await policy.load(join(skyrl.work, 'saved'));
      const text = [{ input: [1, 2, 3], targets: [2, 3, 4] }];
      const again = await policy.forward(text, { kind: 'cross_entropy' });
      const known = await local.forward(text, { kind: 'cross_entropy' });
      expect(largestDifference([...again.logprobs[0]!], [...known.logprobs[0]!])).toBeLessThan(1e-2);
      const sampler = await policy.sampler();
      const sampled = await sampler.sample([[1, 2, 3]], {
        maxTokens: 8,
        temperature: 1,
        seed: 1,
        stop: [],
        samples: 2,
      });
      expect(sampled[0]!.map(({ tokens }) => tokens.length)).toEqual([8, 8]);
      await policy.close();
      await local.close();
    },
    COMPILING,
  );
});

const BACKEND = { max_lora_adapters: 4, max_lora_rank: 8, train_micro_batch_size: 8, sample_max_num_sequences: 32 };

/** Its adapters do not say what they adapt: all that an adapter of this kind can. */
function nameModules(folder: string): void {
  const path = join(folder, 'adapter_config.json');
  const modules = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
  const { r, lora_alpha } = JSON.parse(readFileSync(path, 'utf8'));
  const config = { peft_type: 'LORA', r, lora_alpha, target_modules: modules, bias: 'none' };
  writeFileSync(path, JSON.stringify(config));
}
