import { describe, expect, it } from 'vitest';
import { leaks, oldFormulas } from '../../src/lab/discover/corpus.ts';
import { discover } from '../../src/lab/discover/discover.ts';
import { enumerate } from '../../src/lab/discover/enumerate.ts';
import { type Formula, functionOf, GALILEO, isWhole, LAW, missing, valueAt } from '../../src/lab/discover/formula.ts';
import { spellings } from '../../src/lab/discover/formula-model.ts';
import { isLaw, measurements, postulates } from '../../src/lab/discover/verifiers.ts';
import { stream } from '../../src/random.ts';
import { runLab } from './run.ts';

const RIVAL: Formula = ['-', '+', 'u', 'v', '*', 'u', 'v'];

describe('formulas', () => {
  it('are worked out in prefix notation', () => {
    expect(valueAt(LAW, 0.5, 0.5)).toBeCloseTo(0.8, 12);
    expect(valueAt(['-', 'u', 'v'], 3, 1)).toBe(2);
    expect(valueAt(['/', '1', '-', 'u', 'u'], 2, 1)).toBe(Number.POSITIVE_INFINITY);
  });

  it('are whole when nothing is missing and nothing is left over', () => {
    expect(isWhole(LAW)).toBe(true);
    expect(isWhole(LAW.slice(0, -1))).toBe(false);
    expect(isWhole([...GALILEO, 'u'])).toBe(false);
    expect(missing(['+', 'u'])).toBe(1);
  });

  it('are the same function in every spelling of the law, and not in another', () => {
    expect(spellings()).toHaveLength(8);
    expect(new Set(spellings().map(functionOf)).size).toBe(1);
    expect(spellings().every(isLaw)).toBe(true);
    expect([GALILEO, RIVAL].some(isLaw)).toBe(false);
  });
});

it('enumeration meets the law among the functions of five leaves', () => {
  const { formula, evaluations } = enumerate(5);
  expect(formula && isLaw(formula)).toBe(true);
  expect(evaluations).toBeLessThan(60_000);
  expect(enumerate(4).formula).toBeUndefined();
});

describe('the verifiers', () => {
  const data = measurements(0.95, 0.01, 1);

  it('put the law above Galileo and the rival, and anything undefined at 0', () => {
    for (const { score } of [data, postulates]) {
      expect(score(LAW)).toBe(1);
      expect(score(GALILEO)).toBeLessThan(0.9);
      expect(score(RIVAL)).toBeLessThan(0.9);
    }
    expect(data.score(['/', '1', '-', 'u', 'u'])).toBe(0);
  });

  it('cannot tell the law from Galileo at low speeds', () => {
    const slow = measurements(0.02, 0.01, 1);
    expect(slow.score(GALILEO)).toBeCloseTo(slow.score(LAW), 1);
  });
});

it('the old text does not hold the law under any exchange of roles', () => {
  const { formulas } = oldFormulas(3000, true, stream(1, 'old'));
  expect(formulas.some(leaks)).toBe(false);
  expect(leaks(LAW.map((symbol) => (symbol === 'u' ? '1' : symbol === '1' ? 'u' : symbol)))).toBe(true);
  expect(formulas.every(isWhole)).toBe(true);
});

it('a search of a few calls is no discovery', async () => {
  const { verdict, finding } = await runLab(discover, { formulas: 100, steps: 3, calls: 60, batch: 16, seeds: 2 });
  expect(verdict).not.toBe('supported');
  expect(finding.controls.every(({ held }) => held)).toBe(true);
  expect(finding.scans[0]).toMatchObject({ found: 0 });
});
