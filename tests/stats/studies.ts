import { type Stream, stream } from '../../src/random.ts';
import { change } from '../../src/stats/change.ts';
import { estimate } from '../../src/stats/estimate.ts';
import { holm } from '../../src/stats/holm.ts';
import type { Outcome } from '../../src/stats/outcome.ts';

/**
 * @file Studies simulated from known truths, by which intervals and tests are judged: whether an interval holds the truth,
 * whether a test finds what is not there. The suite repeats them; `npx tsx bench/coverage.ts` does it at length.
 */

export type Resamples = { readonly resamples?: number };

/** One simulated study: whether the interval held the truth, or the test rejected. */
export type Study = (random: Stream, seed: number, how: Resamples) => boolean;

/** Share of studies for which it held. */
export function shareOfStudies(name: string, studies: number, study: Study, how: Resamples): number {
  let held = 0;
  for (let seed = 0; seed < studies; seed++) if (study(stream(11, name, seed), seed, how)) held++;
  return held / studies;
}

type Draw = (random: Stream) => readonly [numerator: number, denominator?: number];

function outcomes(random: Stream, problems: number, draw: Draw): Outcome[] {
  return Array.from({ length: problems }, (_, index) => {
    const [numerator, denominator = 1] = draw(random);
    return { problem: `p${index}`, numerator, denominator };
  });
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

/** Whether the interval of a rate holds the truth. */
const rateStudy =
  (problems: number, draw: Draw, truth: number, range?: readonly [number, number]): Study =>
  (random, seed, how) => {
    const { low, high } = estimate(outcomes(random, problems, draw), { ...how, seed, range });
    return low <= truth && truth <= high;
  };

/** Whether the interval of a paired change holds the truth. */
const changeStudy =
  (gained: number, lost: number): Study =>
  (random, seed, how) => {
    const [before, after] = pairedStudy(random, 100, gained, lost);
    const { low, high } = change(before, after, { ...how, seed, range: [0, 1] });
    return low <= gained - lost && gained - lost <= high;
  };

/** Pairs of yes/no: `gained` go from no to yes, `lost` from yes to no, the others stay (half of them yes). */
function pairedStudy(random: Stream, problems: number, gained: number, lost: number): [Outcome[], Outcome[]] {
  const stay = (1 - gained - lost) / 2;
  const kinds = Array.from({ length: problems }, () => random.weighted({ gained, lost, yes: stay, no: stay }));
  const side = (ones: readonly string[]) =>
    kinds.map((kind, index) => ({ problem: `p${index}`, numerator: Number(ones.includes(kind)), denominator: 1 }));
  return [side(['lost', 'yes']), side(['gained', 'yes'])];
}

const share = [0, 1] as const;
const difference = [-1, 1] as const;
const ends = (random: Stream) => [Number(random.chance(0.995)) - Number(random.chance(0.002))] as const;

/** Nominally 95 %; where a truth near an end of its range can only be covered on the safe side, `most` says so. */
export const coverage: readonly { readonly name: string; readonly study: Study; readonly most?: number }[] = [
  { name: 'a share of .5, n = 100', study: rateStudy(100, yes(0.5), 0.5, share) },
  { name: 'a share of .8, n = 100', study: rateStudy(100, yes(0.8), 0.8, share) },
  { name: 'a rate per step, clustered by problem, n = 100', study: rateStudy(100, clusteredSteps, 0.85, share) },
  { name: 'J = .9 - .1, n = 80', study: rateStudy(80, (r) => [Number(r.chance(0.9)) - Number(r.chance(0.1))], 0.8, difference) },
  { name: 'J near 1, n = 100', study: rateStudy(100, ends, 0.993, difference), most: 1 },
  { name: 'the blind spot, a ratio of two shares, n = 100', study: rateStudy(100, blindSpot, 2 / 3, share) },
  { name: 'nats per token, n = 100', study: rateStudy(100, document, Math.exp(-0.3 - 0.125 / 2 + 0.35 ** 2 / 2)) },
  { name: 'no change of a paired share, n = 100', study: changeStudy(0.1, 0.1) },
  { name: 'a change by .25, n = 100', study: changeStudy(0.3, 0.05) },
  { name: 'nearly all changed, n = 100', study: changeStudy(0.93, 0.01), most: 0.98 },
  { name: 'hardly a discordant pair, n = 100', study: changeStudy(0.01, 0.005), most: 1 },
]; // biome-ignore format: one study a line

const mcnemarStudy =
  (each: number, which: 'p' | 'p_mid' = 'p'): Study =>
  (random) => {
    const [before, after] = pairedStudy(random, 150, each, each);
    return change(before, after, { seed: 1, resamples: 1, range: share })[which]! <= 0.05; // yes/no, so both are there
  };

/** Twenty rows over the same problems, as `unrut compare --gate` judges them: whether any of them is called changed. */
const familyStudy: Study = (random) => {
  const pValues = Array.from({ length: 20 }, () => {
    const [before, after] = pairedStudy(random, 100, 0.1, 0.1);
    return change(before, after, { seed: 1, resamples: 1, range: share }).p;
  });
  return holm(pValues).some((p) => p <= 0.05);
};

/** Every document drawn anew around the same truth, so the sides are exchangeable; 199 or more draws of the test. */
const natsStudy: Study = (random, seed, { resamples = 999 }) => {
  const before = outcomes(random, 40, document);
  const after = before.map((o) => ({ ...o, numerator: o.numerator * (1 + 0.1 * (random.uniform() - 0.5)) }));
  return change(before, after, { seed, resamples }).p <= 0.05;
};

/** Nothing changed, and yet something is found: at most 5 % of studies. */
export const falsePositives: readonly { readonly name: string; readonly study: Study }[] = [
  { name: 'McNemar, few discordant pairs (exact)', study: mcnemarStudy(0.03) },
  { name: 'McNemar, many discordant pairs (chi-square)', study: mcnemarStudy(0.2) },
  { name: 'McNemar mid-p, few discordant pairs', study: mcnemarStudy(0.03, 'p_mid') },
  { name: 'McNemar mid-p, many discordant pairs', study: mcnemarStudy(0.2, 'p_mid') },
  { name: 'randomisation test, nats per token', study: natsStudy },
  { name: 'a family of 20 rows after Holm', study: familyStudy },
];
