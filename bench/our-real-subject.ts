import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Datum } from '../src/engine/engine.ts';
import { readModelFolder, writeModelFolder } from '../src/engine/local/files/model-folder.ts';
import { Weights } from '../src/engine/local/model/weights.ts';
import type { GraphPolicy } from '../src/engine/local/policy/graph-policy.ts';
import { LocalPolicy } from '../src/engine/local/policy/local-policy.ts';
import { LoraPolicy } from '../src/engine/local/policy/lora-policy.ts';
import { Runtime } from '../src/engine/local/runtime/runtime.ts';
import { LocalSampler } from '../src/engine/local/sampling/local-sampler.ts';
import { stream } from '../src/random.ts';
import { serve } from './protocol.ts';
import { type RealSetup, type RealTask, type Result, realModel } from './work.ts';

/** @file The embedded engine with a model of real size, random weights of its shape. */

const adam = { learningRate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 };
const lora = { rank: 32, seed: 1, trainAttn: true, trainMlp: true, trainUnembed: false };
const draws = stream(1, 'bench');

class RealSubject {
  readonly #runtime: Runtime;
  readonly #weights: Weights;
  readonly #policies: Partial<Record<'lora' | 'train', GraphPolicy>> = {};

  constructor(runtime: Runtime, weights: Weights) {
    this.#runtime = runtime;
    this.#weights = weights;
  }

  async run(task: RealTask): Promise<Result> {
    const work = this.#prepare(task);
    const started = performance.now();
    const before = process.cpuUsage();
    await work();
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(before);
    const peakBytes = process.resourceUsage().maxRSS * 1024;
    return { amount: amountOf(task), seconds, cpuSeconds: (user + system) / 1e6, peakBytes };
  }

  #prepare(task: RealTask): () => Promise<unknown> {
    const sampler = new LocalSampler(this.#runtime, this.#weights);
    if (task.kind === 'sample') {
      const prompts = randomTexts(task.batch, task.prompt);
      const how = { maxTokens: task.tokens, temperature: 1, seed: draws.integer(2 ** 31), stop: [], samples: 1 };
      return () => sampler.sample(prompts, how);
    }
    const texts = randomTexts(task.batch, task.time + 1);
    if (task.kind === 'logprobs') return () => sampler.logprobs(texts.map((text) => text.slice(1)));
    const policy = this.#policy(task.kind);
    const data: Datum[] = texts.map((text) => ({ input: text.slice(0, -1), targets: text.slice(1) }));
    return async () => {
      await policy.forwardBackward(data, { kind: 'cross_entropy' });
      await policy.optimStep(adam);
    };
  }

  #policy(kind: 'lora' | 'train'): GraphPolicy {
    const made = () =>
      kind === 'lora'
        ? new LoraPolicy(this.#runtime, this.#weights, lora)
        : new LocalPolicy(this.#runtime, this.#weights);
    this.#policies[kind] ??= made();
    return this.#policies[kind];
  }
}

const amountOf = (task: RealTask): number => task.batch * (task.kind === 'sample' ? task.tokens : task.time);

function randomTexts(count: number, time: number): number[][] {
  const token = () => draws.integer(realModel.vocabSize);
  return Array.from({ length: count }, () => Array.from({ length: time }, token));
}

/** Written once, and kept where the system keeps what may go. */
async function modelFolder(): Promise<string> {
  const folder = join(tmpdir(), 'unrut-bench-135m');
  if (existsSync(folder)) return folder;
  const weights = new Weights(realModel);
  fill(weights.flat);
  for (const { name, data } of weights.parameters) if (name.endsWith('norm.weight')) data.fill(1);
  await mkdir(`${folder}.new`, { recursive: true });
  await writeModelFolder(`${folder}.new`, weights);
  await rename(`${folder}.new`, folder);
  return folder;
}

/**
 * Noise of deviation 0.02; a linear congruential generator, because quality does not matter and time does. No two
 * matrices may be equal: the executor would keep one of them, and the cache would hold it.
 */
function fill(data: Float32Array): void {
  let state = 1;
  for (let at = 0; at < data.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    data[at] = (state / 2 ** 32 - 0.5) * 0.07;
  }
}

await serve<RealSetup, RealTask>(async ({ threads }) => {
  const weights = await readModelFolder(await modelFolder());
  const subject = new RealSubject(Runtime.open(threads), weights);
  return { name: 'unrut', run: (task) => subject.run(task) };
});
