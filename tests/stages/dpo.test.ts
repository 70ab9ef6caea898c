import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { WeightedDatum } from '../../src/chat/lesson.ts';
import { readPreferences } from '../../src/conversation/preference-file.ts';
import { dpo, dpoLoss } from '../../src/stages/dpo.ts';
import { randomChatModel } from '../cli/chat-model-folder.ts';
import { temporaryFile } from '../temporary.ts';
import { openModel, stageContext } from './context.ts';

function preferenceFile(rows: readonly unknown[]): string {
  const path = temporaryFile('preferences.jsonl');
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'));
  return path;
}

describe('preferences', () => {
  it('are read with a prompt in words or in messages, and replies in either form', async () => {
    const rows = [
      { prompt: 'hi', chosen: 'yes', rejected: 'no', source: 'passed over' },
      { prompt: [{ role: 'user', content: 'hi' }], chosen: [{ role: 'assistant', content: 'yes' }], rejected: 'no' },
    ];
    const wanted = { prompt: [{ role: 'user', text: 'hi', origin: 'given' }], chosen: 'yes', rejected: 'no' };
    expect(await readPreferences(preferenceFile(rows))).toEqual([wanted, wanted]);
  });

  it.each([
    [{ prompt: 'hi', chosen: 'yes' }, ':1: rejected: '],
    [{ prompt: 'hi', chosen: 'yes', rejected: 'yes' }, ':1: rejected: is the same as chosen'],
    ['no object', ':1: line: '],
  ])('%j is refused with file, line and field', async (row, message) => {
    await expect(readPreferences(preferenceFile([row]))).rejects.toThrow(message);
  });
});

describe('the loss of DPO', () => {
  const datum = (weights: readonly number[]): WeightedDatum => ({
    input: weights.map(() => 0),
    targets: weights.map(() => 1),
    weights,
  });
  const data = [datum([0, 1, 1]), datum([1]), datum([0, 1]), datum([0, 0, 1])];
  const logprobs = [[-9, -1, -2], [-0.5], [-9, -0.3], [-9, -9, -4]].map((row) => Float32Array.from(row));
  const known = [-3.5, -0.7, -0.2, -3];

  it('is the mean of -log sigmoid(beta times the gain of the chosen over the rejected)', () => {
    const first = -3 + 3.5 - (-0.3 + 0.2);
    const second = -0.5 + 0.7 - (-4 + 3);
    const each = (margin: number) => -Math.log(1 / (1 + Math.exp(-0.5 * margin)));
    expect(dpoLoss(data, known, 0.5)(logprobs).loss).toBeCloseTo((each(first) + each(second)) / 2, 6);
  });

  it('has the gradient of central differences, and none on the prompt', () => {
    const loss = dpoLoss(data, known, 0.5);
    const { gradients } = loss(logprobs);
    const H = 1e-3;
    for (const [row, tokens] of logprobs.entries()) {
      for (const [at, value] of tokens.entries()) {
        const moved = (by: number) =>
          loss(logprobs.map((one, index) => (index === row ? one.with(at, value + by) : one))).loss;
        expect(gradients[row]?.[at]).toBeCloseTo((moved(H) - moved(-H)) / (2 * H), 3);
      }
    }
    expect(gradients[0]?.[0]).toBe(0);
    expect(gradients[0]?.[1]).toBeLessThan(0); // more of the chosen lowers the loss
    expect(gradients[2]?.[1]).toBeGreaterThan(0);
  });
});

it('prefers the chosen reply after a few steps', async () => {
  const model = await openModel(await randomChatModel());
  try {
    const context = await stageContext(model, { family: 'dictionary-sum' });
    const file = preferenceFile([
      { prompt: 'yes or no?', chosen: 'yes', rejected: 'no' },
      { prompt: 'left or right?', chosen: 'left', rejected: 'right' },
    ]);
    await dpo
      .ready({ file, steps: 30, learningRate: 1e-3, warmup: 1, pairs: 4, replay: { documents: 0 } })
      .run(context);
    expect(context.history[0]?.loss).toBeCloseTo(Math.log(2), 3);
    expect(context.history.at(-1)?.loss).toBeLessThan(0.6);
    expect(context.history.at(-1)?.preferred).toBe(1);
  } finally {
    await model.policy.close();
  }
});
