import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readModelFolder } from '../../src/engine/local/files/model-folder.ts';
import { readPeftFolder } from '../../src/engine/local/files/peft-folder.ts';
import { factorShapes } from '../../src/engine/local/model/adapter.ts';
import { sizeOf } from '../../src/engine/local/model/weights.ts';
import { parseRecipe } from '../../src/recipe/load-recipe.ts';
import { fingerprintFiles } from '../../src/record/fingerprint.ts';
import { pretrain } from '../../src/stages/pretrain.ts';
import { stageRegistry } from '../../src/stages/stage.ts';

const box = mkdtempSync(join(tmpdir(), 'unrut-lora-run-'));
afterAll(() => rmSync(box, { recursive: true }));

const recipe = join(box, 'tiny.yaml');
writeFileSync(
  recipe,
  `name: tiny
model: ${resolve('models/organism')}
lora: { rank: 4, learningRateFactor: 10 }
probes: { problems: 4, behaviours: [base-quality] }
stages:
  - { stage: pretrain, steps: 8, learningRate: 1.0e-4, tokens: 300 }
`,
);

function start(...words: string[]): { child: ChildProcess; ended: Promise<number | NodeJS.Signals | null> } {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', 'run', recipe, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.resume();
  return { child, ended: new Promise((done) => child.on('close', (code, signal) => done(signal ?? code))) };
}

/** Kills a run with -9 as soon as a step is told. */
async function killAtStep(out: string, step: number): Promise<void> {
  const { child, ended } = start('--json', '--out', out);
  child.stdout!.on('data', (data: Buffer) => {
    if (data.includes(`"step":${step},`)) child.kill('SIGKILL');
  });
  expect(await ended).toBe('SIGKILL');
}

/** What was trained, by file; the model card names the commit, which may move under a test. */
async function prints(out: string): Promise<object> {
  const folders = ['checkpoints/after-pretrain/policy', 'model', 'adapter'];
  const [checkpoint, model, adapter] = await Promise.all(folders.map((one) => fingerprintFiles(join(out, one))));
  return { checkpoint, model: { ...model, 'README.md': '' }, adapter };
}

describe('lora in a recipe', () => {
  const text = 'name: own\nmodel: m\nstages:\n  - { stage: pretrain, steps: 8, learningRate: 0.1 }\n';
  const parse = (...overrides: string[]) => parseRecipe('own.yaml', text, stageRegistry([pretrain]), overrides);

  it('is absent where nobody asks for it, and one override asks', () => {
    expect(parse().lora).toBeUndefined();
    const defaults = { trainAttn: true, trainMlp: true, trainUnembed: true, learningRateFactor: 5 };
    expect(parse('lora.rank=8').lora).toEqual({ ...defaults, rank: 8 });
  });

  it.each([
    ['lora.rnak=8', /unknown key "rnak" in lora; did you mean "rank"/],
    ['lora.rank=0', /--set lora.rank=0: lora.rank is 0/],
    ['lora.learningRateFactor=0', /lora.learningRateFactor is 0/],
  ])('%s is refused', (override, message) => {
    expect(() => parse(override)).toThrow(message);
  });

  it('does not go with a model from scratch', () => {
    expect(() => parse('fresh=true', 'lora.rank=8')).toThrow(/lora goes with a model that knows something/);
  });
});

describe('a run that trains a LoRA', () => {
  const [whole, killed] = [join(box, 'whole'), join(box, 'killed')];

  it('leaves the merged model and the adapter, and killed with -9 it goes on to the same bytes', async () => {
    expect(await start('--quiet', '--out', whole).ended).toBe(0);
    await killAtStep(killed, 4);
    expect(await start('--quiet', '--out', killed, '--resume').ended).toBe(0);
    expect(await prints(killed)).toEqual(await prints(whole));

    const base = await readModelFolder('models/organism');
    const merged = await readModelFolder(join(whole, 'model'));
    const adapter = await readPeftFolder(join(whole, 'adapter'), base);
    expect(adapter.shape).toMatchObject({ rank: 4, alpha: 32 });
    const huggingFace = { ...base.config.huggingFace, tie_word_embeddings: false };
    expect(merged.config).toEqual({ ...base.config, tiedEmbedding: false, huggingFace });
    expect(merged.get('model.embed_tokens.weight').data).toEqual(base.get('model.embed_tokens.weight').data);
    expect(merged.get('lm_head.weight').data).not.toEqual(base.get('model.embed_tokens.weight').data);
    const config = JSON.parse(readFileSync(join(whole, 'adapter/adapter_config.json'), 'utf8'));
    expect(config.base_model_name_or_path).toBe(resolve('models/organism'));
    expect(sizeOf(factorShapes(merged.config, adapter.shape))).toBe(adapter.flat.length);
  }, 300_000);
});
