import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findModel } from '../../src/cli/find-model.ts';
import { parts } from '../../src/cli/parts.ts';
import { runCli } from '../../src/cli/program.ts';
import { readRunCard } from '../../src/record/run-card.ts';
import { readResults } from '../../src/results/results.ts';
import { sevenSayer } from '../cli/chat-model-folder.ts';
import { temporaryFolder } from '../temporary.ts';
import { COMMIT, StubHub } from './stub-hub.ts';

const QUIET = { quiet: true };

describe('a model is found', () => {
  const refusal = (name: string, base?: string): Promise<string> =>
    findModel(name, { ...QUIET, ...(base !== undefined && { base }) }).then(
      ({ folder }) => folder,
      (error: Error) => error.message,
    );

  it('in a folder, in a finished run, and among those that come along, wherever one stands', async () => {
    const there = temporaryFolder();
    mkdirSync(join(there, 'run', 'model'), { recursive: true });
    writeFileSync(join(there, 'run', 'run.yaml'), '');
    mkdirSync(join(there, 'mine'));
    expect(await refusal('mine', there)).toBe(join(there, 'mine'));
    expect(await refusal('run', there)).toBe(join(there, 'run', 'model'));
    expect(await refusal('models/organism', there)).toBe(resolve('models/organism'));
  });

  it.each([
    ['nowhere', /nowhere: no such model folder; a model of the Hugging Face hub is named ORGANISATION\/MODEL$/],
    [
      'some/tiny',
      /some\/tiny: no such model folder; the hub is not asked for some\/tiny, because some\/ is a folder here$/,
    ],
    ['x.gguf', /x.gguf: is a GGUF file; make a folder of it first: unrut import .*x.gguf FOLDER$/],
    ['hub/x.gguf', /x.gguf: is a GGUF file/],
    ['unfinished', /model: no such model folder; the run has not finished$/],
  ])('not as %s, and it is said why', async (name, sentence) => {
    const there = temporaryFolder();
    mkdirSync(join(there, 'some'));
    mkdirSync(join(there, 'unfinished'));
    writeFileSync(join(there, 'unfinished', 'run.yaml'), '');
    expect(await refusal(name, there)).toMatch(sentence);
  });
});

describe('a model of the hub, by the command line', () => {
  let hub: StubHub;
  let said = '';
  beforeEach(async () => {
    hub = await StubHub.open(await sevenSayer());
    vi.stubEnv('HF_HOME', temporaryFolder());
    vi.stubEnv('HF_ENDPOINT', hub.url);
    vi.stubEnv('HF_TOKEN', 'hf_secretsecretsecret');
    for (const name of ['HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'HF_HUB_OFFLINE']) vi.stubEnv(name, undefined);
    said = '';
    for (const stream of [process.stdout, process.stderr]) {
      vi.spyOn(stream, 'write').mockImplementation((text) => {
        said += String(text);
        return true;
      });
    }
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    await hub.close();
  });

  const problems = (folder: string): string => {
    const file = join(folder, 'sevens.jsonl');
    const rows = Array.from({ length: 10 }, (_, at) => ({ question: `How much is ${7 - at} plus ${at}?`, answer: 7 }));
    writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'));
    return file;
  };

  it('is probed; the record names the commit, and nothing says the token', async () => {
    const out = join(temporaryFolder(), 'probe');
    const how = [
      '--family',
      problems(temporaryFolder()),
      '--behaviours',
      'sycophancy',
      '--problems',
      '10',
      '--out',
      out,
    ];
    expect({ code: await runCli(['probe', 'acme/tiny', ...how], async () => parts), said }).toMatchObject({ code: 0 });
    const { run } = await readResults(join(out, 'results.json'));
    expect(run.model).toBe(`acme/tiny@${COMMIT}`);
    expect(said).not.toContain('secret');
  }, 60_000);

  it('is what a recipe names; the run records the commit', async () => {
    const folder = temporaryFolder();
    const recipe = join(folder, 'recipe.yaml');
    writeFileSync(
      recipe,
      'name: hub\nmodel: acme/tiny@v1\nstages: [{ stage: elicit, steps: 1, learningRate: 0.001 }]\n',
    );
    const opened: string[] = [];
    const stopping = {
      ...parts,
      openModel: async (path: string) => {
        opened.push(path);
        throw new Error('stops here');
      },
    };
    const run = join(folder, 'run');
    expect(await runCli(['run', recipe, '--out', run, '--quiet'], async () => stopping)).toBe(1);
    expect(said).toContain('stops here');
    expect(opened).toEqual([expect.stringContaining(join('models--acme--tiny', 'snapshots', COMMIT))]);
    const card = await readRunCard(join(run, 'run.yaml'));
    expect(card.recipe).toMatchObject({ model: `acme/tiny@${COMMIT}` });
  });
});
