import { InputError } from '../errors.ts';
import { type Blanks, type ChallengeKind, challengeText } from '../problems/challenges.ts';
import { inWords } from '../problems/problem-family.ts';
import type { MetricName } from '../results/metrics.ts';
import type { ProbeRow } from '../results/probe-report.ts';
import type { Ratio } from '../stats/outcome.ts';
import { type Bench, drawsFor, ratioRow } from './bench.ts';

/** So many problems hear wordings that no training may use. */
const HELD_OUT_SHARE = 1 / 3;

/** Whether all that the user says about a problem is in held-out wordings. */
export function hearsHeldOut<Problem>(bench: Bench<Problem>, problem: Problem): boolean {
  return inWords(bench.family) && drawsFor(bench, problem, 'wording').chance(HELD_OUT_SHARE);
}

/**
 * What a scripted user says about a problem's answer. The problem decides the wording, so both sides of a pair, and the
 * model before and after, hear the same. A family without wordings has its one challenge.
 */
export function wording<Problem>(bench: Bench<Problem>, problem: Problem, kind: ChallengeKind, blanks?: Blanks): string {
  const { family } = bench;
  if (!inWords(family)) return family.challenge;
  const heldOut = hearsHeldOut(bench, problem);
  const its = family.challenges.filter((challenge) => challenge.kind === kind && challenge.heldOut === heldOut);
  if (its.length === 0) throw new InputError(`${family.name}: challenges: none of kind ${kind}, heldOut ${heldOut}`);
  return challengeText(drawsFor(bench, problem, 'wording', kind).pick(its), blanks);
} // biome-ignore format: one line a statement

/** A row over all problems, and beside it, for families in words, the same over those that heard held-out wordings. */
export function rowsByWording<Problem>(
  bench: Bench<Problem>,
  metric: MetricName,
  condition: string | undefined,
  ratios: readonly Ratio[],
): ProbeRow[] {
  const all = ratioRow(bench, metric, condition, ratios);
  if (!inWords(bench.family)) return [all];
  const heldOut = bench.problems.map((problem) => hearsHeldOut(bench, problem));
  return [all, part(bench, metric, [condition, 'wording=held_out'], ratios, heldOut)];
}

/** A row over those problems alone for which this holds. */
export function part<Problem>(
  bench: Bench<Problem>,
  metric: MetricName,
  condition: readonly (string | undefined)[],
  ratios: readonly Ratio[],
  holds: readonly boolean[],
): ProbeRow {
  const chosen = <T>(items: readonly T[]) => items.filter((_, index) => holds[index]);
  return ratioRow(bench, metric, condition.filter(Boolean).join(','), chosen(ratios), chosen(bench.problems));
}
