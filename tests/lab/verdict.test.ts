import { describe, expect, it } from 'vitest';
import type { Comparison } from '../../src/results/lab-finding.ts';
import { verdictOf } from '../../src/results/lab-verdict.ts';

const comparison = (low: number, high: number, more: Partial<Comparison> = {}): Comparison => ({
  name: 'gain',
  unit: 'bits',
  value: (low + high) / 2,
  low,
  high,
  expected: 'above',
  threshold: 0,
  over: '10 seeds',
  ...more,
});

describe('the verdict of an experiment', () => {
  it.each([
    ['supported', [comparison(0.1, 0.3)]],
    ['not supported', [comparison(-0.3, -0.1)]],
    ['inconclusive', [comparison(-0.1, 0.3)]],
    ['supported', [comparison(-0.3, -0.1, { expected: 'below' })]],
    ['inconclusive', [comparison(0.1, 0.3), comparison(-0.1, 0.3)]],
    ['not supported', [comparison(0.1, 0.3), comparison(-0.3, -0.1)]],
  ] as const)('is %s by its intervals', (verdict, comparisons) => {
    expect(verdictOf({ comparisons: [...comparisons], controls: [] })).toBe(verdict);
  });

  it('counts only what Holm leaves: one p of .03 among three is not enough', () => {
    const three = [0.03, 0.03, 0.03].map((p) => comparison(0.01, 0.3, { p }));
    expect(verdictOf({ comparisons: three.slice(0, 1), controls: [] })).toBe('supported');
    expect(verdictOf({ comparisons: three, controls: [] })).toBe('inconclusive');
  });

  it('is inconclusive where a negative control did not come out negative', () => {
    const controls = [{ name: 'random bytes', held: false, what: '7.1 bits a byte' }];
    expect(verdictOf({ comparisons: [comparison(0.1, 0.3)], controls })).toBe('inconclusive');
  });
});
