import { describe, expect, it } from 'vitest';
import { fewShotLab } from '../../src/lab/few-shot/few-shot.ts';
import {
  contextSequence,
  fixedLabel,
  LENGTH,
  labelToken,
  SHOTS,
  SYMBOLS,
  sequenceDatum,
  splitNames,
  trainingSequence,
  weightsSequence,
} from '../../src/lab/few-shot/sequences.ts';
import { stream } from '../../src/random.ts';
import { runLab } from './run.ts';

const draws = stream(1, 'few-shot test');
const { trained, unseen } = splitNames(draws);

/** The pairs of a sequence, by name. */
function pairsOf(tokens: readonly number[]): { name: number; label: number }[] {
  return Array.from({ length: SHOTS + 1 }, (_, at) => {
    const [high = 0, low = 0, label = 0] = tokens.slice(3 * at, 3 * at + 3);
    return { name: high * SYMBOLS + low, label: label - SYMBOLS };
  });
}

describe('sequences', () => {
  it('never show an unseen class in training', () => {
    expect(trained.some((name) => unseen.includes(name))).toBe(false);
    expect(trained.length + unseen.length).toBe(SYMBOLS ** 2);
  });

  it('ask for a class that stands in the context three times where they are bursty, and never where they are not', () => {
    for (const bursty of [true, false]) {
      const { tokens } = trainingSequence(trained, bursty, draws);
      const pairs = pairsOf(tokens);
      const asked = pairs.at(-1);
      expect(tokens).toHaveLength(LENGTH);
      expect(pairs.slice(0, -1).filter(({ name }) => name === asked?.name)).toHaveLength(bursty ? 3 : 0);
      expect(pairs.every(({ name, label }) => label === fixedLabel(name))).toBe(true);
    }
  });

  it('name unseen classes by labels of their own sequence, with a distractor that is as frequent', () => {
    const { tokens, label } = contextSequence(unseen, draws);
    const pairs = pairsOf(tokens);
    const asked = pairs.at(-1);
    expect(pairs.filter(({ name }) => name === asked?.name).every((pair) => pair.label === label)).toBe(true);
    const counts = [...new Set(pairs.map(({ name }) => name))].map(
      (name) => pairs.slice(0, -1).filter((pair) => pair.name === name).length,
    );
    expect(counts.filter((count) => count === 3)).toHaveLength(2);
  });

  it('leave only the weights where the class is not in the context', () => {
    const pairs = pairsOf(weightsSequence(trained, draws).tokens);
    expect(pairs.slice(0, -1).some(({ name }) => name === pairs.at(-1)?.name)).toBe(false);
  });

  it('ask for labels alone', () => {
    const { targets, weights } = sequenceDatum(trainingSequence(trained, true, draws));
    expect((targets as number[]).map((token) => Number(token >= labelToken(0)))).toEqual(weights);
  });
});

it('a model that has learnt nothing is no few-shot learner', async () => {
  const { verdict, finding } = await runLab(fewShotLab, {
    steps: 2,
    rows: 4,
    tests: 40,
    looks: 1,
    width: 32,
    layers: 1,
    few: 16,
    many: 64,
  });
  expect(verdict).not.toBe('supported');
  expect(finding.controls).toMatchObject([{ held: true }]);
});
