import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { makeRunCard } from '../../src/cli/run-card.ts';
import { Interrupted } from '../../src/errors.ts';
import { parseRecipe } from '../../src/recipe/load-recipe.ts';
import type { RunParts } from '../../src/recipe/run-parts.ts';
import { runRecipe } from '../../src/recipe/run-recipe.ts';
import type { RunEvent } from '../../src/record/event.ts';
import { RunFolder } from '../../src/record/run-folder.ts';
import { defineStage, stageRegistry } from '../../src/stages/stage.ts';
import { fakeParts } from '../cli/fake/fake-parts.ts';
import { temporaryFolder } from '../temporary.ts';

/** What the reference of a stage thinks of a token, by the stage's name. */
const references: Record<string, number[]> = {};

const learning = (name: string, prepares: boolean) =>
  defineStage({
    name,
    summary: 'moves the weights',
    ...(prepares && { prepares: true as const }),
    options: z.strictObject({ steps: z.int().default(4) }),
    cost: ({ steps }) => ({ steps, trainedTokens: 0, sampledTokens: 0 }),
    async run(context, { steps }) {
      const [judged] = await context.reference.logprobs([[3, 5]]);
      references[name] = [...judged!];
      for (let step = context.firstStep; step < steps; step++) {
        await context.policy.forwardBackward([{ input: [3, 5], targets: [3, 5] }], { kind: 'cross_entropy' });
        await context.policy.optimStep({ learningRate: 0.5, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0 });
        await context.step(step, steps, { loss: 1 });
      }
    },
  });

const parts: RunParts = { ...fakeParts, stages: stageRegistry([learning('warm', true), learning('drift', false)]) };

async function run(path: string, stopAt?: string): Promise<string[]> {
  const text = `name: prepared\nmodel: ${modelFolder()}\nprobes: { problems: 8, behaviours: [error-checking] }\nstages: [{ stage: warm }, { stage: drift }]`; // biome-ignore format: one line
  const recipe = parseRecipe('prepared.yaml', text, parts.stages);
  const folder = await RunFolder.resume(path, await makeRunCard(recipe, parts));
  const stop = new AbortController();
  const seen: string[] = [];
  const event = (what: RunEvent) => {
    const told = 'stage' in what ? `${what.kind} ${what.stage}` : 'probe' in what ? `${what.kind} ${what.probe}` : '';
    if (!['', 'step warm', 'step drift'].includes(told)) seen.push(told);
    if (told === stopAt) stop.abort();
  };
  try {
    await runRecipe(recipe, { folder, parts, watch: { event, doing: () => {} }, signal: stop.signal });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  } finally {
    await folder.close();
  }
  return seen;
}

let model: string | undefined;
function modelFolder(): string {
  if (model !== undefined) return model;
  model = join(temporaryFolder(), 'model');
  mkdirSync(model);
  writeFileSync(join(model, 'config.json'), '{}');
  return model;
}

const rows = (path: string) => JSON.parse(readFileSync(join(path, 'results.json'), 'utf8')).probes;

it('measures "before" behind the stage that makes the model able, which is also the reference of what follows', async () => {
  const whole = temporaryFolder();
  const order = await run(whole);
  expect(order.indexOf('stage-finished warm')).toBeLessThan(order.indexOf('probe-started before'));
  expect(order.indexOf('probe-finished before')).toBeLessThan(order.indexOf('stage-started drift'));
  const { warm, drift } = references;
  expect(drift).not.toEqual(warm);
  expect(readFileSync(join(whole, 'events.jsonl'), 'utf8')).toContain('\\"before\\" is measured behind warm');

  const halves = temporaryFolder();
  await run(halves, 'step drift'); // interrupted within the stage behind it
  references.drift = [];
  const again = await run(halves);
  expect(again).not.toContain('stage-started warm');
  expect(references.drift).toEqual(drift); // looked back for
  expect(rows(halves)).toEqual(rows(whole));
});
