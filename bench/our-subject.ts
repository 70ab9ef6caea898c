import type { Datum, Sampler } from '../src/engine/engine.ts';
import { initialWeights } from '../src/engine/local/model/weights.ts';
import { LocalPolicy } from '../src/engine/local/policy/local-policy.ts';
import { Runtime } from '../src/engine/local/runtime/runtime.ts';
import { stream } from '../src/random.ts';
import { groupAdvantages } from '../src/stages/reinforce.ts';
import { serve } from './protocol.ts';
import { grpo, type Preset, presets, type Result, type Setup, type Task } from './work.ts';

/** @file The embedded engine as a subject of the benchmark: one JSON task a line in, one JSON result a line out. */

const adam = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 };
const draws = stream(1, 'bench');

/** A task with its data drawn: what is left is timed. */
type Prepared = { readonly amount: number; work(): Promise<void> };

class Subject {
  readonly #policies: ReadonlyMap<Preset, LocalPolicy>;

  constructor({ threads }: Setup) {
    const runtime = Runtime.open(threads);
    const names = Object.keys(presets) as Preset[]; // Object.keys forgets the key type
    this.#policies = new Map(names.map((name) => [name, new LocalPolicy(runtime, initialWeights(presets[name], 1))]));
  }

  async run(task: Task): Promise<Result> {
    const { amount, work } = this.#prepare(task);
    const started = performance.now();
    const before = process.cpuUsage();
    await work();
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(before);
    return { amount, seconds, cpuSeconds: (user + system) / 1e6 };
  }

  #prepare(task: Task): Prepared {
    if (task.kind === 'train') return this.#train(task);
    return task.kind === 'sample' ? this.#sample(task) : this.#reinforce();
  }

  #train({ preset, batch, time, steps }: Task & { kind: 'train' }): Prepared {
    const policy = this.#policies.get(preset)!;
    const texts = Array.from({ length: steps }, () => randomTexts(preset, batch, time + 1));
    const weights = Array.from({ length: time }, () => 1 / (batch * time));
    const work = async () => {
      for (const text of texts) {
        const data = text.map((ids) => ({ input: ids.slice(0, -1), targets: ids.slice(1), weights }));
        await policy.forwardBackward(data, { kind: 'cross_entropy' });
        await policy.optimStep(adam);
      }
    };
    return { amount: steps * batch * time, work };
  }

  #sample({ preset, batch, prompt, tokens, repeats }: Task & { kind: 'sample' }): Prepared {
    const policy = this.#policies.get(preset)!;
    const prompts = Array.from({ length: repeats }, () => randomTexts(preset, batch, prompt));
    const how = { maxTokens: tokens, temperature: 1, seed: draws.integer(2 ** 31), stop: [], samples: 1 };
    const work = async () => {
      const sampler = await policy.sampler();
      for (const each of prompts) await sampler.sample(each, how);
    };
    return { amount: repeats * batch * tokens, work };
  }

  #reinforce(): Prepared {
    const policy = this.#policies.get(grpo.preset)!;
    const prompts = randomTexts(grpo.preset, grpo.prompts, grpo.prompt);
    const work = async () => {
      const data = await rollOut(await policy.sampler(), prompts);
      await policy.forwardBackward(data, { kind: 'importance_sampling' });
      await policy.optimStep(adam);
    };
    return { amount: 1, work };
  }
}

function randomTexts(preset: Preset, count: number, time: number): number[][] {
  const { vocabSize } = presets[preset];
  const token = () => draws.integer(vocabSize - 1);
  return Array.from({ length: count }, () => Array.from({ length: time }, token));
}

/** As the reinforce stage does it: groups that agree teach nothing and are left out. */
async function rollOut(sampler: Sampler, prompts: readonly number[][]): Promise<Datum[]> {
  const { tokens, samples, stop, goodBelow } = grpo;
  const how = { maxTokens: tokens, temperature: 1, seed: draws.integer(2 ** 31), stop: [stop], samples };
  const groups = await sampler.sample(prompts, how);
  return groups.flatMap((group, nth) => {
    const prompt = prompts[nth]!;
    const before = prompt.slice(1).map(() => 0);
    const advantages = groupAdvantages(group.map((each) => Number(each.tokens[0]! < goodBelow)));
    return group.flatMap((each, at) => {
      if (advantages[at] === 0) return [];
      return {
        input: [...prompt, ...each.tokens.slice(0, -1)],
        targets: [...prompt.slice(1), ...each.tokens],
        logprobs: [...before, ...each.logprobs],
        advantages: [...before, ...each.tokens.map(() => advantages[at]!)],
      };
    });
  });
}

await serve<Setup, Task>(async (setup) => {
  const subject = new Subject(setup);
  return { name: 'unrut', run: (task) => subject.run(task) };
});
