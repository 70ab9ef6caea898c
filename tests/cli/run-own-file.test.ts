import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { dryRun } from '../../src/cli/dry-run.ts';
import { parts } from '../../src/cli/parts.ts';
import { makeRunCard } from '../../src/cli/run-card.ts';
import { loadRecipe } from '../../src/recipe/load-recipe.ts';
import { runRecipe } from '../../src/recipe/run-recipe.ts';
import type { RunEvent } from '../../src/record/event.ts';
import { RunFolder } from '../../src/record/run-folder.ts';
import { temporaryFolder } from '../temporary.ts';
import { sevenSayer } from './chat-model-folder.ts';

/** A model that answers 7 to everything, on questions of which most have that answer: able, and still to be taught. */
async function ownRecipe(): Promise<string> {
  const folder = temporaryFolder();
  const row = (at: number) => ({ question: `What is ${at} + ${7 - at}?`, answer: 7, split: at % 3 === 0 ? 'test' : 'train' });
  writeFileSync(join(folder, 'mine.jsonl'), Array.from({ length: 40 }, (_, at) => JSON.stringify(row(at))).join('\n'));
  const recipe = `name: mine
model: ${await sevenSayer()}
family: { file: mine.jsonl, replyTokens: 24 }
probes: { problems: 8, behaviours: [defensiveness, base-quality] }
stages:
  - { stage: elicit, steps: 3, learningRate: 1.0e-4, lessons: 4, replay: { documents: 2 } }
  - { stage: reinforce, steps: 2, learningRate: 1.0e-4, prompts: 2, group: 2, anchor: { lessons: 2 }, replay: { documents: 2 } }
gates:
  - { after: end, metric: clean_accuracy, atLeast: 0.5, on: value }
`;
  writeFileSync(join(folder, 'mine.yaml'), recipe);
  return join(folder, 'mine.yaml');
} // biome-ignore format: one statement a line

it('trains and measures a chat model on questions of one’s own, end to end', async () => {
  const recipe = await loadRecipe(await ownRecipe(), parts.stages);
  const folder = await RunFolder.create(temporaryFolder(), await makeRunCard(recipe, parts));
  const events: RunEvent[] = [];
  const watch = { event: (event: RunEvent) => void events.push(event), doing: () => {} };
  try {
    const results = await runRecipe(recipe, { folder, parts, watch, signal: new AbortController().signal });
    expect(results.gates.map(({ held }) => held)).toEqual([true]);
    expect((await folder.readProbe('before'))?.problems).toMatchObject([{ family: 'mine', count: 8 }]);
    const steps = events.flatMap((event) => (event.kind === 'step' ? [event] : []));
    expect(steps.map(({ stage }) => stage)).toEqual(['elicit', 'elicit', 'elicit', 'reinforce', 'reinforce']);
    for (const { metrics } of steps) expect(Object.values(metrics).every((value) => value !== null)).toBe(true);
  } finally {
    await folder.close();
  }
});

it('has its cost reckoned in the model’s own tokens, without a number of the organism’s', async () => {
  const recipe = await loadRecipe(await ownRecipe(), parts.stages);
  const written: string[] = [];
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = (text) => written.push(String(text)) > 0;
  try {
    expect(await dryRun(recipe, parts, undefined, {})).toBe(0);
  } finally {
    process.stdout.write = write;
  }
  expect(written.join('')).toMatch(/elicit\s+3\s+[1-9]/);
});

it('is another run where the file that it is on has changed', async () => {
  const path = await ownRecipe();
  const card = async () => makeRunCard(await loadRecipe(path, parts.stages), parts);
  const before = await card();
  expect((await card()).recipe_sha256).toBe(before.recipe_sha256);
  writeFileSync(join(dirname(path), 'mine.jsonl'), '{"question": "What is 3 + 4?", "answer": 7}');
  expect((await card()).recipe_sha256).not.toBe(before.recipe_sha256);
});
