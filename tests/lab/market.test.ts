import { describe, expect, it } from 'vitest';
import { binEdges, binOf, bitsOf } from '../../src/lab/market/bins.ts';
import { blockGain } from '../../src/lab/market/block-bootstrap.ts';
import { cubic, leakCheck } from '../../src/lab/market/leak-check.ts';
import { market } from '../../src/lab/market/market.ts';
import { BASELINES } from '../../src/lab/market/predictors.ts';
import { normal, pricesIn, readReturns, withMomentum } from '../../src/lab/market/series.ts';
import { stream } from '../../src/random.ts';
import { runLab } from './run.ts';

describe('bins', () => {
  const values = Array.from({ length: 4000 }, () => 0).map((_, at) => Math.sin(at * 12.9898) / 100);
  const edges = binEdges(values);

  it('are equally full, half of them below zero', () => {
    const counts = Array.from({ length: 8 }, (_, bin) => values.filter((value) => binOf(value, edges) === bin).length);
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(25);
    expect(binOf(-1e-9, edges)).toBe(3);
    expect(binOf(1e-9, edges)).toBe(4);
  });

  it('tell the bits of direction and size apart, which add up', () => {
    const { all, sign, size } = bitsOf([0.1, 0.1, 0.1, 0.1, 0.3, 0.1, 0.1, 0.1], 4);
    expect(sign).toBeCloseTo(-Math.log2(0.6));
    expect(size).toBeCloseTo(1);
    expect(all).toBeCloseTo(sign + size);
  });
});

describe('the block bootstrap', () => {
  const draws = stream(1, 'gains');
  const noise = Array.from({ length: 800 }, () => normal(draws));

  it('holds zero for noise and leaves it out for a gain', () => {
    expect(blockGain(noise).low).toBeLessThan(0);
    expect(blockGain(noise.map((value) => value + 0.3)).low).toBeGreaterThan(0);
  });

  it('is wider where neighbours go together', () => {
    const clustered = noise.map((_, at) => noise[Math.floor(at / 20)] ?? 0);
    const width = (gains: readonly number[]) => blockGain(gains).high - blockGain(gains).low;
    expect(width(clustered)).toBeGreaterThan(2 * width(noise));
  });
});

it('no baseline looks at the day that it predicts, or at later ones', () => {
  const { values } = readReturns('generated', 600, 1);
  const edges = binEdges(values.slice(0, 400));
  const bins = values.map((value) => binOf(value, edges));
  const changed = values.map((value, at) => (at < 500 ? value : -value));
  for (const { predict } of BASELINES) {
    const [own, others] = [
      predict(bins, values, 400),
      predict(
        changed.map((value) => binOf(value, edges)),
        changed,
        400,
      ),
    ];
    expect(others.slice(0, 101)).toEqual(own.slice(0, 101)); // days 400 to 500: their evening before is the same
  }
});

describe('a series of one’s own', () => {
  it('takes the column called close, or the last of positive numbers', () => {
    expect(pricesIn('a.csv', 'date,close,volume\n1,10,900\n2,11,800')).toEqual([10, 11]);
    expect(pricesIn('a.csv', 'date,price\nMon,10\nTue,11')).toEqual([10, 11]);
    expect(() => pricesIn('a.csv', 'date,word\nMon,a')).toThrow('no column of positive numbers');
  });

  it('fits a cubic by least squares', () => {
    const points = [-2, -1, 0, 1, 2, 3].map((feature) => ({ feature, target: 1 - 2 * feature + 0.5 * feature ** 3 }));
    const [a = 0, b = 0, c = 0, d = 0] = cubic(points);
    expect([a, b, c, d].map((value) => Math.round(1e6 * value) / 1e6 + 0)).toEqual([1, -2, 0, 0.5]);
  });
});

it('momentum is planted into the direction', () => {
  const planted = withMomentum({ name: 'x', values: [1, 0, 0] }, 0.5);
  expect(planted.values).toEqual([1, 0.5, 0.25]);
});

it('shuffled returns and a model that has learnt nothing are no predictor', async () => {
  const { verdict, finding } = await runLab(market, {
    days: 600,
    steps: 3,
    rows: 4,
    context: 16,
    width: 32,
    layers: 1,
  });
  expect(finding.controls[0]).toMatchObject({ name: 'shuffled days', held: true });
  expect(verdict).not.toBe('supported');
});

describe('the leak check', () => {
  it('finds the skill that scaling by the future invents on a random walk', async () => {
    const { verdict, finding } = await runLab(leakCheck, {});
    expect(verdict).toBe('supported');
    expect(finding.comparisons[0]?.value).toBeGreaterThan(0.05);
  });

  it('finds none where the training days scale', async () => {
    expect((await runLab(leakCheck, { scale: 'train' })).verdict).not.toBe('supported');
  });
});
