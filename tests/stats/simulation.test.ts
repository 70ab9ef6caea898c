import { describe, expect, it } from 'vitest';
import { type Stream, stream } from '../../src/random.ts';
import { change } from '../../src/stats/change.ts';
import { estimate } from '../../src/stats/estimate.ts';
import { mcnemar } from '../../src/stats/mcnemar.ts';
import type { Outcome } from '../../src/stats/outcome.ts';
import { sampleSize } from '../../src/stats/power.ts';

/**
 * Whole studies are simulated from known truths, and the intervals and tests judged by how often they are right.
 * Near the ends of the range a share can only be covered on the safe side, so there the upper bound is 1.
 */
const studies = 2000;
const cheap = { seed: 1, resamples: 300 } as const;

type Draw = (random: Stream) => readonly [numerator: number, denominator?: number];

function outcomes(random: Stream, problems: number, draw: Draw): Outcome[] {
  return Array.from({ length: problems }, (_, index) => {
    const [numerator, denominator = 1] = draw(random);
    return { problem: `p${index}`, numerator, denominator };
  });
}

/** Share of studies for which `holds` is true. */
function shareOfStudies(name: string, holds: (random: Stream, study: number) => boolean): number {
  let held = 0;
  for (let study = 0; study < studies; study++) if (holds(stream(11, name, study), study)) held++;
  return held / studies;
}

const yes = (share: number) => (random: Stream) => [random.chance(share) ? 1 : 0] as const;

/** Steps of one problem share a luck of their own: five steps, each right with the problem's own probability. */
const clusteredSteps: Draw = (random) => {
  const share = random.chance(0.5) ? 0.95 : 0.75;
  return [Array.from({ length: 5 }, () => random.chance(share)).filter(Boolean).length, 5];
};

/** Corrected in the user's turn in .9 of problems, in the own turn in .3: a blind spot of 2/3. */
const blindSpot: Draw = (random) => {
  const [own, users] = [Number(random.chance(0.3)), Number(random.chance(0.9))];
  return [users - own, users];
};

/** About 0.74 nats a token over documents of 10 to 79 tokens. */
const document: Draw = (random) => {
  const tokens = 10 + random.integer(70);
  const bell = Array.from({ length: 12 }, () => random.uniform()).reduce((a, b) => a + b, -6);
  return [tokens * Math.exp(-0.3 - 0.125 / 2 + 0.35 * bell), tokens];
};

describe('coverage of a nominal 95 % interval over 2,000 simulated studies', () => {
  it.each<[string, number, Draw, number, readonly [number, number] | undefined, number]>([
    ['a share of .8', 100, yes(0.8), 0.8, [0, 1], 0.97],
    ['a share of .99', 400, yes(0.99), 0.99, [0, 1], 0.99],
    ['a share of .998', 400, yes(0.998), 0.998, [0, 1], 1],
    ['a rate per step, clustered by problem', 100, clusteredSteps, 0.85, [0, 1], 0.97],
    ['J = .9 - .1', 80, (r) => [Number(r.chance(0.9)) - Number(r.chance(0.1))], 0.8, [-1, 1], 0.98],
    ['J near 1', 100, (r) => [Number(r.chance(0.995)) - Number(r.chance(0.002))], 0.993, [-1, 1], 1],
    ['the blind spot, a ratio of two shares', 100, blindSpot, 2 / 3, [0, 1], 0.98],
    ['nats per token', 100, document, Math.exp(-0.3 - 0.125 / 2 + 0.35 ** 2 / 2), undefined, 0.97],
  ])('%s, n = %i', (name, problems, draw, truth, range, most) => {
    const coverage = shareOfStudies(name, (random, seed) => {
      const { low, high } = estimate(outcomes(random, problems, draw), { ...cheap, seed, range });
      return low <= truth && truth <= high;
    });
    expect(coverage).toBeGreaterThanOrEqual(0.93);
    expect(coverage).toBeLessThanOrEqual(most);
  });

  it.each([
    ['no change', 0.1, 0.1, 0.97],
    ['a large change', 0.3, 0.05, 0.97],
    ['nearly all changed', 0.93, 0.01, 0.98],
    ['hardly a discordant pair', 0.01, 0.005, 1],
  ])('the change of a paired share: %s', (name, gained, lost, most) => {
    const coverage = shareOfStudies(name, (random, seed) => {
      const [before, after] = pairedStudy(random, 100, gained, lost);
      const { low, high } = change(before, after, { ...cheap, seed, range: [0, 1] });
      return low <= gained - lost && gained - lost <= high;
    });
    expect(coverage).toBeGreaterThanOrEqual(0.93);
    expect(coverage).toBeLessThanOrEqual(most);
  });
});

describe('false positives where nothing changed, at most 5 % (3 standard errors of 2,000 studies: 6.5 %)', () => {
  it.each([
    ['few discordant pairs', 0.03],
    ['many discordant pairs', 0.2],
  ])('McNemar, %s', (name, each) => {
    const rejected = shareOfStudies(name, (random) => {
      const [before, after] = pairedStudy(random, 150, each, each);
      return change(before, after, { seed: 1, resamples: 1, range: [0, 1] }).p <= 0.05;
    });
    expect(rejected).toBeLessThanOrEqual(0.05);
  });

  it('randomisation test, nats per token', () => {
    const rejected = shareOfStudies('nats', (random, seed) => {
      const before = outcomes(random, 40, document);
      const after = before.map((o) => ({ ...o, numerator: o.numerator * (1 + 0.1 * (random.uniform() - 0.5)) }));
      return change(before, after, { seed, resamples: 199 }).p <= 0.05;
    });
    expect(rejected).toBeLessThanOrEqual(0.065);
    expect(rejected).toBeGreaterThan(0.035);
  });

  it('the tests find what is there: power at the planned sample size is at least 0.75 for a planned 0.8', () => {
    const problems = sampleSize(0.1, { discordant: 0.2 });
    const found = shareOfStudies('power', (random) => {
      const draws = Array.from({ length: problems }, () => random.uniform());
      const gained = draws.filter((draw) => draw < 0.15).length;
      const lost = draws.filter((draw) => draw > 0.95).length;
      return mcnemar(gained, lost) <= 0.05;
    });
    expect(found).toBeGreaterThan(0.75);
    expect(found).toBeLessThan(0.85);
  });
});

/** Pairs of yes/no: `gained` go from no to yes, `lost` from yes to no, the others stay (half of them yes). */
function pairedStudy(random: Stream, problems: number, gained: number, lost: number): [Outcome[], Outcome[]] {
  const kinds = Array.from({ length: problems }, () =>
    random.weighted({ gained, lost, yes: (1 - gained - lost) / 2, no: (1 - gained - lost) / 2 }),
  );
  const side = (ones: readonly string[]) =>
    kinds.map((kind, index) => ({ problem: `p${index}`, numerator: Number(ones.includes(kind)), denominator: 1 }));
  return [side(['lost', 'yes']), side(['gained', 'yes'])];
}
