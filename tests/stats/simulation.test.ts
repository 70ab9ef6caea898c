import { describe, expect, it } from 'vitest';
import { mcnemar } from '../../src/stats/mcnemar.ts';
import { sampleSize } from '../../src/stats/power.ts';
import { coverage, falsePositives, shareOfStudies } from './studies.ts';

/** Of every study 2,000, with 300 resamples; at 2,000 resamples the figures are in docs/statistics.md. */
const STUDIES = 2000;
const cheap = { resamples: 300 } as const;

describe('coverage of a nominal 95 % interval over 2,000 simulated studies', () => {
  it.each(coverage)('$name', ({ name, study, most = 0.97 }) => {
    const share = shareOfStudies(name, STUDIES, study, cheap);
    expect(share).toBeGreaterThanOrEqual(0.93);
    expect(share).toBeLessThanOrEqual(most);
  });
});

describe('false positives where nothing changed, at most 5 %', () => {
  /** Where a test is exact at 5 %, or mid-p close to it, chance alone takes 2,000 studies up to 3 standard errors above. */
  const CHANCE = 3 * Math.sqrt((0.05 * 0.95) / STUDIES);

  it.each(falsePositives)('$name', ({ name, study }) => {
    const share = shareOfStudies(name, STUDIES, study, { resamples: 199 });
    expect(share).toBeLessThanOrEqual(0.05 + (/^randomisation|mid-p/.test(name) ? CHANCE : 0));
  });

  it('the tests find what is there: power at the planned sample size is at least 0.75 for a planned 0.8', () => {
    const problems = sampleSize(0.1, { discordant: 0.2 });
    const found = shareOfStudies('power', STUDIES, (random) => {
      const draws = Array.from({ length: problems }, () => random.uniform());
      const gained = draws.filter((draw) => draw < 0.15).length;
      const lost = draws.filter((draw) => draw > 0.95).length;
      return mcnemar(gained, lost) <= 0.05;
    }, cheap); // biome-ignore format: one study
    expect(found).toBeGreaterThan(0.75);
    expect(found).toBeLessThan(0.85);
  });
});
