import { describe, expect, it } from 'vitest';
import { areaUnderCurve } from '../../src/stats/auc.ts';
import { change } from '../../src/stats/change.ts';
import { estimate } from '../../src/stats/estimate.ts';
import { holm } from '../../src/stats/holm.ts';
import { mcnemar, mcnemarMidP } from '../../src/stats/mcnemar.ts';
import { mean } from '../../src/stats/mean.ts';
import { normalCdf, normalQuantile } from '../../src/stats/normal.ts';
import { minimumDetectableEffect, sampleSize } from '../../src/stats/power.ts';
import { quantile } from '../../src/stats/quantile.ts';
import { reliability } from '../../src/stats/reliability.ts';
import { wilsonInterval } from '../../src/stats/wilson.ts';

describe('normal distribution', () => {
  it('agrees with the tables (Abramowitz & Stegun 26.1)', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 10);
    expect(normalQuantile(0.8)).toBeCloseTo(0.8416212335729143, 8);
    expect(normalCdf(-1.959963984540054)).toBeCloseTo(0.025, 10);
    expect(normalCdf(-4)).toBeCloseTo(3.167124183e-5, 10);
  });
});

describe('Wilson interval', () => {
  // Newcombe 1998, Statistics in Medicine 17:857-872, Table I, method 3
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('%i of %i', (hits, trials, low, high) => {
    const interval = wilsonInterval(hits / trials, trials);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  it('holds the truth in 93 to 98 % of studies of 400, wherever that lies, and in 95.0 % on average: exactly, not simulated', () => {
    const covered = (truth: number, trials: number): number => {
      let probability = (1 - truth) ** trials; // of no hit at all
      let sum = 0;
      for (let hits = 0; hits <= trials; hits++) {
        const { low, high } = wilsonInterval(hits / trials, trials);
        if (low <= truth && truth <= high) sum += probability;
        probability *= ((trials - hits) / (hits + 1)) * (truth / (1 - truth));
      }
      return sum;
    };
    const coverage = Array.from({ length: 491 }, (_, at) => covered(0.01 + at / 1000, 400)); // .01 to .5; it mirrors
    expect(Math.min(...coverage)).toBeGreaterThan(0.93);
    expect(Math.max(...coverage)).toBeLessThan(0.98);
    expect(coverage.reduce((sum, one) => sum + one, 0) / coverage.length).toBeCloseTo(0.95, 3);
    expect(covered(0.01, 400)).toBeCloseTo(0.9318, 4);
  });

  it('mirrors: k of n and n - k of n', () => {
    const few = wilsonInterval(1 / 29, 29);
    const many = wilsonInterval(28 / 29, 29);
    expect(many.high).toBeCloseTo(1 - few.low, 12);
    expect(many.low).toBeCloseTo(1 - few.high, 12);
  });
});

describe('McNemar', () => {
  it('is exact below 25 discordant pairs: Fagerland, Lydersen & Laake 2013, BMC Med. Res. Methodol. 13:91 (7 v. 1)', () => {
    expect(mcnemar(7, 1)).toBeCloseTo(0.0703, 4);
    expect(mcnemar(1, 7)).toBe(mcnemar(7, 1));
  });

  it('is the corrected chi-square from 25 on: approval ratings of Agresti 1990, p. 350 (86 v. 150)', () => {
    // (|150 - 86| - 1)^2 / 236 = 16.818 on one degree of freedom
    expect(mcnemar(86, 150)).toBeCloseTo(4.115e-5, 7);
  });

  it('has nothing to say without discordant pairs', () => {
    expect(mcnemar(0, 0)).toBe(1);
    expect(mcnemar(30, 30)).toBe(1);
  });

  it('has a mid-p value: Fagerland, Lydersen & Laake 2013, Table 4 (7 v. 1) and an exact sum (25 v. 12)', () => {
    expect(mcnemarMidP(7, 1)).toBeCloseTo(0.0391, 4);
    expect(mcnemarMidP(1, 7)).toBe(mcnemarMidP(7, 1));
    expect(mcnemarMidP(25, 12)).toBeCloseTo(0.03355244, 7); // summed with mpmath, as the last one
    expect(mcnemarMidP(0, 0)).toBe(1);
    expect(mcnemarMidP(30, 30)).toBeCloseTo(1, 12);
    expect(mcnemarMidP(0, 2000)).toBe(0);
    expect(mcnemarMidP(950, 1050)).toBeCloseTo(0.02535953, 7);
  });

  it('hardly jumps where it changes method', () => {
    expect(mcnemar(17, 8) / mcnemar(17, 7)).toBeGreaterThan(0.9);
    expect(mcnemar(17, 8) / mcnemar(17, 7)).toBeLessThan(2.2);
  });
});

describe('Holm', () => {
  it("agrees with R's p.adjust(method = 'holm')", () => {
    expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02].map((p) => expect.closeTo(p, 12)));
  });

  it('never exceeds 1 and keeps the order', () => {
    expect(holm([0.9, 0.5, 0.5])).toEqual([1, 1, 1]);
    expect(holm([])).toEqual([]);
  });
});

describe('power of a paired difference', () => {
  // powerandsamplesize.com, "McNemar's Z-test, 2-sided equality" (formula of Connor 1987): p01 .45, p10 .05 -> 23
  it('agrees with published sample sizes', () => {
    expect(sampleSize(0.4, { discordant: 0.5 })).toBe(23);
    expect(sampleSize(0.15, { discordant: 0.45 })).toBe(155);
    expect(sampleSize(-0.15, { discordant: 0.45 })).toBe(155);
  });

  it('the minimum detectable effect is the sample size turned round', () => {
    for (const discordant of [0.1, 0.3, 0.6]) {
      const effect = minimumDetectableEffect(400, { discordant, power: 0.9 });
      expect(Math.abs(sampleSize(effect, { discordant, power: 0.9 }) - 400)).toBeLessThanOrEqual(1);
    }
  });

  it('refuses a difference that the discordant share cannot hold', () => {
    expect(() => sampleSize(0.4, { discordant: 0.3 })).toThrow(/0\.4.*0\.3/);
    expect(() => sampleSize(0, { discordant: 0.3 })).toThrow(/difference 0/);
    expect(() => minimumDetectableEffect(400, { discordant: 0 })).toThrow(/discordant share 0/);
    expect(minimumDetectableEffect(3, { discordant: 0.2 })).toBe(0.2);
  });
});

describe('area under the ROC curve', () => {
  it('agrees with Hanley & McNeil 1982 (Radiology 143:29): 109 CT images rated 1-5, area .893', () => {
    const ratings = (counts: readonly number[]) => counts.flatMap((count, index) => Array(count).fill(index + 1));
    expect(areaUnderCurve(ratings([3, 2, 2, 11, 33]), ratings([33, 6, 6, 11, 2]))).toBeCloseTo(0.893, 3);
  });

  it('is 1, 0 and a half where it must be', () => {
    expect(areaUnderCurve([2, 3], [0, 1])).toBe(1);
    expect(areaUnderCurve([0, 1], [2, 3])).toBe(0);
    expect(areaUnderCurve([1, 1, 1], [1, 1])).toBe(0.5);
    expect(() => areaUnderCurve([1], [])).toThrow(/1 positives and 0 negatives/);
  });
});

describe('quantiles', () => {
  it("agree with R's default, type 7 (Hyndman & Fan 1996)", () => {
    const values = [15, 20, 35, 40, 50]; // R: quantile(c(15, 20, 35, 40, 50), c(.1, .4, .9))
    expect(quantile(values, 0.1)).toBeCloseTo(17, 12);
    expect(quantile(values, 0.4)).toBeCloseTo(29, 12);
    expect(quantile(values, 0.9)).toBeCloseTo(46, 12);
    expect(quantile([7], 0.9)).toBe(7);
    expect(() => quantile([], 0.5)).toThrow(/no values/);
  });

  it('tell luck from skill: same mean, different spread', () => {
    const steady = reliability([[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]]); // biome-ignore format: problems by runs
    const gambler = reliability([[0, 0.5, 1], [0, 0.5, 1]]); // biome-ignore format: problems by runs
    expect(steady).toEqual({ performance: 0.5, aptitude: 0.5, worst: 0.5, unreliability: 0 });
    expect(gambler.performance).toBe(0.5);
    expect(gambler.aptitude).toBeCloseTo(0.9, 12);
    expect(gambler.worst).toBeCloseTo(0.1, 12);
    expect(gambler.unreliability).toBeCloseTo(0.8, 12);
  });
});

describe('what was not measured is refused by name', () => {
  const outcome = (numerator: number, denominator = 1) => [{ problem: 'p1', numerator, denominator }];
  it.each([
    ['AUC, NaN', () => areaUnderCurve([Number.NaN, 1], [0]), /positives\[0\]: is NaN/],
    ['AUC, NaN among negatives', () => areaUnderCurve([1], [0, Number.NaN]), /negatives\[1\]: is NaN/],
    ['Wilson without trials', () => wilsonInterval(0, 0), /trials 0/],
    ['Wilson of a NaN', () => wilsonInterval(Number.NaN, 10), /share NaN/],
    ['Wilson of a share above 1', () => wilsonInterval(1.5, 10), /share 1.5/],
    ['Wilson at a confidence of 1', () => wilsonInterval(0.5, 10, 1), /confidence 1/],
    ['McNemar, NaN', () => mcnemar(Number.NaN, 1), /pairs that gained NaN/],
    ['McNemar, negative', () => mcnemar(1, -1), /pairs that lost -1/],
    ['mid-p, half a pair', () => mcnemarMidP(0.5, 1), /pairs that gained 0.5/],
    ['Holm, NaN', () => holm([0.1, Number.NaN]), /p value 2: NaN/],
    ['quantile, NaN', () => quantile([1, Number.NaN], 0.5), /values\[1\]: is NaN/],
    ['quantile elsewhere', () => quantile([1], 1.5), /quantile 1.5/],
    ['mean of nothing', () => mean([]), /mean: no values/],
    ['reliability of nothing', () => reliability([]), /no values/],
    ['normal quantile at 0', () => normalQuantile(0), /probability 0/],
    ['sample size, NaN', () => sampleSize(Number.NaN, { discordant: 0.3 }), /difference NaN/],
    ['sample size at a power of 1', () => sampleSize(0.1, { discordant: 0.3, power: 1 }), /power 1/],
    ['smallest effect of NaN problems', () => minimumDetectableEffect(Number.NaN, { discordant: 0.3 }), /problems NaN/],
    ['a rate of a NaN', () => estimate(outcome(Number.NaN), { seed: 1 }), /outcome of p1: NaN of 1/],
    ['a rate of nothing', () => estimate([], { seed: 1 }), /no outcome counts/],
    ['a change to a NaN', () => change(outcome(1), outcome(1, Number.NaN), { seed: 1 }), /outcome of p1: 1 of NaN/],
  ])('%s', (_, compute, message) => expect(compute).toThrow(message));
});
