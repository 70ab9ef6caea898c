import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sampler } from '../../../src/engine/engine.ts';
import { mergedWeights } from '../../../src/engine/local/compiler/adapter-graphs.ts';
import { readModelFolder } from '../../../src/engine/local/files/model-folder.ts';
import { readPeftFolder, writePeftFolder } from '../../../src/engine/local/files/peft-folder.ts';
import type { Weights } from '../../../src/engine/local/model/weights.ts';
import { LoraPolicy } from '../../../src/engine/local/policy/lora-policy.ts';
import { Runtime } from '../../../src/engine/local/runtime/runtime.ts';
import { LocalSampler } from '../../../src/engine/local/sampling/local-sampler.ts';
import { stream } from '../../../src/random.ts';

const PYTHON = process.env.UNRUT_PYTHON ?? '.venv/bin/python';
const BASE = 'models/organism';

/** PEFT adds two products where unrut multiplies once; both are single precision. */
const BAR = 1e-4;

/** Why there is nothing to compare with; undefined where there is. */
function absence(): string | undefined {
  try {
    execFileSync(PYTHON, ['-c', 'import torch, transformers, peft'], { stdio: 'pipe' });
    return undefined;
  } catch {
    return `${PYTHON} has no peft; see tests/peers/peft/README.md`;
  }
}

const absent = absence();
if (absent !== undefined) process.stderr.write(`skipped: ${absent}\n`);

const runtime = Runtime.open(1);
const folder = mkdtempSync(join(tmpdir(), 'unrut-peft-'));
const at = (name: string): string => join(folder, name);
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

const draws = stream(1, 'peft peer');
const sequences = [5, 12, 40].map((length) => Array.from({ length }, () => draws.integer(64)));

const EVERY = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];

/** What PEFT makes: its options, and the type that it stores. */
const THEIRS: Readonly<Record<string, { readonly options: object; readonly dtype: string }>> = {
  'all with the head': { options: { r: 8, lora_alpha: 32, target_modules: [...EVERY, 'lm_head'] }, dtype: 'float32' },
  'query and value': { options: { r: 4, lora_alpha: 16, target_modules: ['q_proj', 'v_proj'] }, dtype: 'float32' },
  'all-linear in bfloat16': { options: { r: 2, lora_alpha: 5, target_modules: 'all-linear' }, dtype: 'bfloat16' },
};

describe.skipIf(absent !== undefined)('PEFT and unrut', () => {
  let base: Weights;
  beforeAll(async () => {
    base = await readModelFolder(BASE);
  });

  it('load an adapter that unrut trained, and say the same', async () => {
    const policy = await trained(base);
    await writePeftFolder(at('ours'), await policy.adapter(), BASE);
    const [theirs] = peer([{ job: 'score', base: BASE, folder: at('ours'), sequences }]);
    const ours = await everyLogprob(await policy.sampler(), base.config.vocabSize);
    expect(largestDifference(ours, theirs!)).toBeLessThan(BAR);
    const untrained = await everyLogprob(new LocalSampler(runtime, base), base.config.vocabSize);
    expect(largestDifference(ours, untrained)).toBeGreaterThan(0.1);
  });

  it.each(Object.entries(THEIRS))('load an adapter that PEFT wrote, and say the same: %s', async (name, how) => {
    const [theirs] = peer([{ job: 'make', base: BASE, folder: at(name), sequences, ...how }]);
    const weights = await mergedWeights(runtime, base, await readPeftFolder(at(name), base));
    const ours = await everyLogprob(new LocalSampler(runtime, weights), base.config.vocabSize);
    expect(largestDifference(ours, theirs!)).toBeLessThan(BAR);
  });
});

async function trained(base: Weights): Promise<LoraPolicy> {
  const options = { rank: 8, seed: 1, trainAttn: true, trainMlp: true, trainUnembed: true };
  const policy = new LoraPolicy(runtime, base, options);
  const data = sequences.map((input) => ({ input, targets: input.toReversed() }));
  const adam = { learningRate: 5e-3, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0 };
  for (let step = 0; step < 5; step++) {
    await policy.forwardBackward(data, { kind: 'cross_entropy' });
    await policy.optimStep(adam);
  }
  return policy;
}

type Logprobs = readonly (readonly (readonly number[])[])[];

function peer(jobs: readonly object[]): Logprobs[] {
  writeFileSync(at('jobs.json'), JSON.stringify(jobs));
  const output = execFileSync(PYTHON, [join(import.meta.dirname, 'peer.py'), at('jobs.json')], {
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(output.toString());
}

/** `[sequence][position][token]`. */
async function everyLogprob(sampler: Sampler, vocabulary: number): Promise<Logprobs> {
  const all = await sampler.topLogprobs(sequences, vocabulary);
  return all.map(({ tokens, logprobs, k }) =>
    Array.from({ length: tokens.length / k }, (_, position) => {
      const row = new Array<number>(k);
      for (let rank = 0; rank < k; rank++) row[tokens[position * k + rank]!] = logprobs[position * k + rank]!;
      return row;
    }),
  );
}

function largestDifference(ours: Logprobs, theirs: Logprobs): number {
  expect(ours.map((rows) => rows.length)).toEqual(theirs.map((rows) => rows.length));
  return Math.max(
    ...ours.flatMap((rows, sequence) =>
      rows.flatMap((row, position) =>
        row.map((value, token) => Math.abs(value - theirs[sequence]![position]![token]!)),
      ),
    ),
  );
}
