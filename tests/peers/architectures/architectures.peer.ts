import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readModelFolder, writeModelFolder } from '../../../src/engine/local/files/model-folder.ts';
import { writePeftFolder } from '../../../src/engine/local/files/peft-folder.ts';
import { initialAdapter, modulesOf } from '../../../src/engine/local/model/adapter.ts';
import { parseConfig } from '../../../src/engine/local/model/architectures.ts';
import type { Weights } from '../../../src/engine/local/model/weights.ts';
import { LocalPolicy } from '../../../src/engine/local/policy/local-policy.ts';
import { Runtime } from '../../../src/engine/local/runtime/runtime.ts';
import { EngineError, ModelError } from '../../../src/errors.ts';
import { stream } from '../../../src/random.ts';
import { golden, weightsOf } from '../../engine/architecture-golden.ts';
import { allLogprobs } from '../../engine/sampling-reference.ts';

const PYTHON = process.env.UNRUT_PYTHON ?? '.venv/bin/python';

/** Why there is nothing to compare with; undefined where there is. */
function absence(): string | undefined {
  try {
    execFileSync(PYTHON, ['-c', 'import torch, transformers, peft'], { stdio: 'pipe' });
    return undefined;
  } catch {
    return `${PYTHON} has no torch, transformers and peft; see tests/peers/architectures/README.md`;
  }
}

const absent = absence();
if (absent !== undefined) process.stderr.write(`skipped: ${absent}\n`);

const BAR = 1e-4;

const root = mkdtempSync(join(tmpdir(), 'unrut-architectures-'));
const runtime = Runtime.open(1);
afterAll(async () => {
  await runtime.close();
  rmSync(root, { recursive: true });
});

const python = (script: string, ...args: string[]) =>
  execFileSync(PYTHON, [`tests/peers/architectures/${script}`, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

/** The largest difference from what transformers has, `[position][token]`. */
async function difference(weights: Weights, text: readonly number[], theirs: number[][]): Promise<number> {
  const ours = await allLogprobs(await new LocalPolicy(runtime, weights).sampler(), text, weights.config.vocabSize);
  const all = ours.flatMap((row, at) => row.map((value, token) => Math.abs(value - theirs[at]![token]!)));
  return all.reduce((largest, value) => Math.max(largest, value), 0);
}

type Odd = { readonly folder: string; readonly name: string; readonly logprobs?: number[][]; readonly error?: string };

/** What became of a config: equal, refused, or what must not be. */
async function verdict({ folder, name, logprobs, error }: Odd, text: readonly number[]): Promise<string> {
  try {
    const weights = await readModelFolder(folder);
    const off = await difference(weights, text, logprobs ?? []);
    if (off < BAR) return 'equal';
    return logprobs === undefined ? `${name}: loaded, but transformers says ${error}` : `${name}: off by ${off}`;
  } catch (refusal) {
    // a text may be too long for what is known of a rope
    if (refusal instanceof ModelError || refusal instanceof EngineError) return 'refused';
    return `${name}: ${String(refusal)}`;
  }
}

describe.skipIf(absent !== undefined)('Python transformers', () => {
  it('computes the same of every config that is not refused by name', async () => {
    python('odd_configs.py', join(root, 'odd'));
    const { text, models } = read(join(root, 'odd', 'models.json')) as { text: number[]; models: Odd[] };
    const verdicts: string[] = [];
    for (const model of models) verdicts.push(await verdict(model, text));
    const [equal, refused] = ['equal', 'refused'].map((kind) => verdicts.filter((each) => each === kind).length);
    process.stdout.write(`${models.length} configs: ${equal} equal, ${refused} refused\n`);
    expect(verdicts.filter((each) => each !== 'equal' && each !== 'refused')).toEqual([]);
    expect(equal).toBeGreaterThan(models.length / 3);
  });

  it('loads what we write of every family, with an adapter in the folder or without', async () => {
    const subjects = golden.models.map(({ name, config }) => ({ name, weights: weightsOf(parseConfig(name, config)) }));
    const folders: string[] = [];
    for (const { name, weights } of subjects) {
      for (const kind of ['plain', 'adapted']) {
        const folder = join(root, `${name} ${kind}`);
        mkdirSync(folder);
        await writeModelFolder(folder, weights);
        if (kind === 'adapted') await putAdapter(folder, weights);
        folders.push(folder);
      }
    }
    writeFileSync(join(root, 'job.json'), JSON.stringify({ text: golden.text, folders }));
    python('score_folders.py', join(root, 'job.json'), join(root, 'answers.json'));
    const answers = read(join(root, 'answers.json')) as { left: object; logprobs: number[][] }[];
    for (const [nth, { left, logprobs }] of answers.entries()) {
      const folder = folders[nth]!; // an answer for each
      expect(left, folder).toEqual({});
      expect(await difference(await readModelFolder(folder), golden.text, logprobs), folder).toBeLessThan(BAR);
    }
  });
});

/** A random adapter on every matrix of the layers, in the model's own folder. */
async function putAdapter(folder: string, { config }: Weights): Promise<void> {
  const modules = modulesOf(config).filter((module) => module !== 'lm_head');
  const adapter = initialAdapter(config, { rank: 2, alpha: 4, modules }, 1);
  const draws = stream(1, 'adapter', folder.slice(root.length));
  for (let at = 0; at < adapter.flat.length; at++) adapter.flat[at] = draws.uniform() - 0.5;
  await writePeftFolder(join(folder, 'apart'), adapter, folder);
  for (const file of ['adapter_config.json', 'adapter_model.safetensors']) {
    copyFileSync(join(folder, 'apart', file), join(folder, file));
  }
}
