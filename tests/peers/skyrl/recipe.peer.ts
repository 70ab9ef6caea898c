import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parts } from '../../../src/cli/parts.ts';
import { tinkerParts } from '../../../src/cli/tinker-parts.ts';
import { loadRecipe } from '../../../src/recipe/load-recipe.ts';
import { runRecipe } from '../../../src/recipe/run-recipe.ts';
import type { RunEvent } from '../../../src/record/event.ts';
import { readJournal } from '../../../src/record/journal.ts';
import type { RunCard } from '../../../src/record/run-card.ts';
import { RunFolder } from '../../../src/record/run-folder.ts';
import { readResults } from '../../../src/results/results.ts';
import { defineStage, stageRegistry } from '../../../src/stages/stage.ts';
import type { ServiceProcess } from '../services/service-process.ts';
import { absent, COMPILING, startSkyrl } from './skyrl.ts';

const MODEL = resolve('models/organism');
const QUICKSTART = resolve('recipes/quickstart.yaml');
const STAGES = ['elicit', 'verify', 'distil', 'unloop', 'reinforce', 'unloop-again'];

/** The whole recipe, two steps a stage and one behaviour of four problems; what is asked of the results is left out. */
const SHORT = [
  'lora.rank=8',
  'gates=[]',
  'probes.behaviours=[loops]',
  'probes.problems=4',
  ...STAGES.map((stage) => `stages.${stage}.steps=2`),
];

/** A stage of one's own with a need that this server does not meet, and nothing in its place. */
const matched = defineStage({
  name: 'matched',
  summary: 'learns whole distributions',
  options: z.strictObject({}),
  cost: () => ({ steps: 1, trainedTokens: 1, sampledTokens: 0 }),
  needs: () => [{ abilities: ['soft_targets'], what: 'the whole distribution' }],
  run: () => Promise.reject(new Error('it was run')),
});

describe.skipIf(absent !== undefined)('a recipe on SkyRL', () => {
  let skyrl: ServiceProcess;
  beforeAll(async () => {
    skyrl = await startSkyrl(() => MODEL);
  });
  afterAll(() => skyrl?.stop());

  const eventsOf = (out: string): readonly RunEvent[] => readJournal(join(out, 'events.jsonl'));

  it('is refused before anything is spent where a stage lacks something', { timeout: COMPILING }, async () => {
    const stages = stageRegistry([...parts.stages.values(), matched]);
    const recipe = await loadRecipe(QUICKSTART, stages, ['lora.rank=8', 'gates=[]', 'stages=[{ stage: matched }]']);
    const out = join(skyrl.work, 'refused');
    const folder = await RunFolder.create(out, card(recipe.resolved));
    const service = { baseUrl: skyrl.url, baseModel: MODEL };
    const setting = { folder, parts: tinkerParts({ ...parts, stages }, service), signal: new AbortController().signal };
    const run = runRecipe(recipe, { ...setting, watch: { event: () => {}, doing: () => {} } });
    await expect(run.finally(() => folder.close())).rejects.toThrow(
      'stage matched: the whole distribution needs cross entropy with several targets a position, which this engine was not shown to have; leave the stage out with --set stages.matched.off=true',
    );
    expect(eventsOf(out)).toEqual([]);
  });

  it('runs from the same file, and its record says what was done otherwise', { timeout: COMPILING }, async () => {
    const out = join(skyrl.work, 'run');
    const service = ['--engine', 'tinker', '--base-url', skyrl.url, '--base-model', MODEL, '--out', out];
    expect(await unrut('run', QUICKSTART, ...service, ...SHORT.flatMap((one) => ['--set', one]))).toBe(0);

    const events = eventsOf(out);
    const notes = events.flatMap((event) => (event.kind === 'note' ? [event.text] : []));
    const odd = notes.filter((note) => note.endsWith('(unlike the protocol)'));
    expect(odd.map((note) => note.slice(skyrl.url.length + 2).split(':')[0])).toEqual(
      ['refused numbers', 'losses add up', 'losses', 'soft targets', 'clipping', 'signed weights', 'end of text', 'sampled logprobs', 'top logprobs', 'prompt logprobs'], // biome-ignore format: one list
    );
    const substitutes = notes.filter((note) => note.startsWith('stage '));
    expect(substitutes.map((note) => note.slice(0, note.indexOf(' needs')))).toEqual([
      'stage elicit: replay',
      'stage verify: replay',
      "stage distil: the teacher's distribution",
      'stage distil: replay',
      'stage unloop: replay',
      'stage reinforce: replay',
      'stage unloop-again: replay',
    ]);
    expect(notes.at(-1)).toBe('adapter: the service adapted no lm_head, which the recipe asks for');
    const steps = events.filter((event) => event.kind === 'step');
    expect(steps.map(({ stage, step }) => `${stage} ${step}`)).toEqual(
      STAGES.flatMap((stage) => [`${stage} 0`, `${stage} 1`]),
    );
    for (const { stage, metrics } of steps) expect(Object.values(metrics), stage).not.toContain(null); // none is NaN
    expect((await readResults(join(out, 'results.json'))).run.name).toBe('quickstart');
    expect(existsSync(join(out, 'adapter/adapter_model.safetensors'))).toBe(true);
    expect(existsSync(join(out, 'model/model.safetensors'))).toBe(true);
  });
});

/** The command line, to its exit code. */
function unrut(...words: string[]): Promise<number | null> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...words], { stdio: 'inherit' });
  return new Promise((done) => child.on('close', done));
}

function card(resolved: unknown): RunCard {
  const about = { schema: 'unrut.run/1', name: 'quickstart', seed: 1, started: new Date().toISOString() } as const;
  const hashes = { model: MODEL, model_sha256: '0'.repeat(64), recipe_sha256: '0'.repeat(64) };
  return { ...about, machine: '', versions: {}, ...hashes, recipe: JSON.parse(JSON.stringify(resolved)) };
}
