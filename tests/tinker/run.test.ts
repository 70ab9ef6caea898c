import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serviceOf } from '../../src/cli/options/engine-options.ts';
import { parts } from '../../src/cli/parts.ts';
import type { Ability } from '../../src/engine/abilities.ts';
import { parseRecipe } from '../../src/recipe/load-recipe.ts';
import type { RunParts } from '../../src/recipe/run-parts.ts';
import { runRecipe } from '../../src/recipe/run-recipe.ts';
import { fingerprintFiles } from '../../src/record/fingerprint.ts';
import { readJournal } from '../../src/record/journal.ts';
import type { RunCard } from '../../src/record/run-card.ts';
import { RunFolder } from '../../src/record/run-folder.ts';
import { type OurServer, openOurServer } from './our-server.ts';

const box = mkdtempSync(join(tmpdir(), 'unrut-tinker-run-'));
let server: OurServer;
beforeAll(async () => {
  server = await openOurServer();
});
afterAll(async () => {
  await server.close();
  rmSync(box, { recursive: true });
});

const KEY = 'tml-a-key-that-nobody-may-see';

const text = `name: tiny
seed: 1
model: ${resolve('models/organism')}
probes: { problems: 4, behaviours: [loops] }
stages:
  - { stage: elicit, steps: 3, learningRate: 1.0e-3, lessons: 4, replay: { documents: 2 } }
  - { stage: distil, steps: 2, learningRate: 1.0e-4, contexts: 3, replay: { documents: 2 } }
  - { stage: unloop, steps: 2, learningRate: 1.0e-4, onsets: 3, replay: { documents: 2 } }
`;
const recipe = join(box, 'tiny.yaml');
writeFileSync(recipe, text);

function start(...words: string[]): { child: ChildProcess; ended: Promise<number | NodeJS.Signals | null> } {
  const service = ['--engine', 'tinker', '--base-url', server.url, '--base-model', 'organism', '--set', 'lora.rank=4'];
  const command = ['--import', 'tsx', 'src/cli/main.ts', 'run', recipe, ...service, '--save-every', '1', ...words];
  const env = { ...process.env, TINKER_API_KEY: KEY };
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'], env });
  child.stdout.resume();
  return { child, ended: new Promise((done) => child.on('close', (code, signal) => done(signal ?? code))) };
}

/** The model card names the commit, which may move under a test. */
async function trained(out: string): Promise<object> {
  const [model, adapter] = await Promise.all(['model', 'adapter'].map((one) => fingerprintFiles(join(out, one))));
  return { model: { ...model, 'README.md': '' }, adapter };
}

const notes = (out: string): string[] =>
  readJournal(join(out, 'events.jsonl')).flatMap((event) => (event.kind === 'note' ? [event.text] : []));

describe('a run on a service', () => {
  const [whole, killed] = [join(box, 'whole'), join(box, 'killed')];

  it('leaves adapter and merged model, and killed with -9 it goes on to the same bytes', async () => {
    expect(await start('--quiet', '--out', whole).ended).toBe(0);
    const { child, ended } = start('--json', '--out', killed);
    child.stdout!.on('data', (data: Buffer) => {
      if (data.includes('"stage":"distil","step":0,"of"')) child.kill('SIGKILL');
    });
    expect(await ended).toBe('SIGKILL');
    expect(await start('--quiet', '--out', killed, '--resume').ended).toBe(0);
    expect(await trained(killed)).toEqual(await trained(whole));
  });

  it('records what was found out about the service, once, and never the key', async () => {
    expect(notes(killed).filter((note) => note.includes('losses add up: sums'))).toHaveLength(1);
    for (const file of ['run.yaml', 'events.jsonl', 'results.json']) {
      expect(readFileSync(join(killed, file), 'utf8')).not.toContain(KEY);
    }
    expect(readFileSync(join(killed, 'run.yaml'), 'utf8')).toContain(`tinker: ${server.url}`);
  });
});

/** Of a model that is there all the same. */
const LEFT_OUT = 'adapter: the service adapted no lm_head';

describe('an engine that lacks something', () => {
  /** The embedded engine, said to be able to do less: it is then asked in other words. */
  const lacking = (can: readonly Ability[]): RunParts => ({
    ...parts,
    openModel: async (folder, how) => ({ ...(await parts.openModel(folder, how)), can: new Set(can) }),
    exportModel: async (...model) => (await parts.exportModel(...model)) ?? LEFT_OUT,
  });

  async function run(can: readonly Ability[], out: string): Promise<string[]> {
    const folder = await RunFolder.create(out, card());
    const watch = { event: () => {}, doing: () => {} };
    const setting = { folder, parts: lacking(can), watch, signal: new AbortController().signal };
    await runRecipe(parseRecipe(recipe, text, parts.stages), setting).finally(() => folder.close());
    return notes(out);
  }

  it('gets the declared substitute of every stage, and the record says so', async () => {
    const told = await run(['sampling', 'signed_weights', 'importance_sampling'], join(box, 'lacking'));
    expect(told.pop()).toBe(LEFT_OUT);
    expect(told.map((note) => note.slice(0, note.indexOf(' needs')))).toEqual([
      'stage elicit: replay',
      "stage distil: the teacher's distribution",
      'stage distil: replay',
      'stage unloop: replay',
    ]);
    expect(existsSync(join(box, 'lacking/model/model.safetensors'))).toBe(true);
  });

  it('is refused a stage that has none, before anything is measured', async () => {
    const out = join(box, 'refused');
    await expect(run(['sampling'], out)).rejects.toThrow(
      /^stage unloop: the margin between two tokens needs cross entropy with weights of any sign.*--set stages.unloop.off=true$/,
    );
    expect(readJournal(join(out, 'events.jsonl'))).toEqual([]);
  });
});

describe('the words for a service', () => {
  it.each([
    [{ baseUrl: 'http://x' }, /add --engine tinker/],
    [{ engine: 'tinker' }, /give the address of the service with --base-url/],
    [{ engine: 'tinker', baseUrl: 'x' }, /give the address/],
    [{ engine: 'tinker', baseUrl: 'http://me:secret@x', baseModel: 'm' }, /set TINKER_API_KEY/],
    [{ engine: 'tinker', baseUrl: 'http://x' }, /name the model on the service with --base-model/],
  ] as const)('%j is answered in one line', (options, message) => {
    expect(() => serviceOf(options)).toThrow(message);
  });
});

function card(): RunCard {
  const resolved = JSON.parse(JSON.stringify(parseRecipe(recipe, text, parts.stages).resolved));
  const about = { schema: 'unrut.run/1', name: 'tiny', seed: 1, started: new Date().toISOString() } as const;
  const hashes = { model: resolve('models/organism'), model_sha256: '0'.repeat(64), recipe_sha256: '0'.repeat(64) };
  return { ...about, machine: '', versions: {}, ...hashes, recipe: resolved };
}
