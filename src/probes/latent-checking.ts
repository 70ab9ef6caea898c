import type { Outcome, ProbeReport, ProbeRow } from '../results/probe-report.ts';
import { areaUnderCurve } from '../stats/auc.ts';
import type { Ratio } from '../stats/outcome.ts';
import { type Bench, row } from './bench.ts';
import type { OwnError } from './own-errors.ts';
import { SURPRISED, surpriseAsSampled, surpriseOfSteps } from './surprise.ts';
import { type Arm, type Arms, type Case, firstWrong } from './wrong-cases.ts';

type Latent = { readonly rows: readonly ProbeRow[]; readonly latent?: NonNullable<ProbeReport['latent']> };
type LatentRow = NonNullable<ProbeReport['latent']>['rows'][number];

const RULE = `largest f over the tokens of a step > ${SURPRISED}, f = 1 - p(written) / max p`;

/**
 * What the model's surprise at the written tokens says of the steps, whatever the model says. Where only the tokens that
 * it samples come with logprobs, it is read off its own errors as they were sampled.
 */
export async function latentChecking<Problem>(
  bench: Bench<Problem>,
  right: readonly Case<Problem>[],
  { arms, own }: Arms<Problem>,
): Promise<Latent> {
  const calm = await surpriseOfSteps(bench, right);
  if (calm === undefined) return asSampled(bench, own);
  const untouched = flagged(calm);
  const alarms = alarmsBy(bench, right, untouched);
  const rows: ProbeRow[] = [];
  const latent: LatentRow[] = [rightRow(bench, right, untouched)];
  for (const arm of arms) {
    const surprise = (await surpriseOfSteps(bench, arm.cases))!; // shown just before
    const flags = flagged(surprise);
    rows.push({ ...jRow(bench, arm, flags, alarms), ...areaNote(arm, surprise, calm) });
    latent.push(...byPosition(bench, arm, flags));
  }
  return { rows, latent: { rule: RULE, rows: latent } };
}

const flagged = (surprise: readonly (readonly number[])[]): boolean[][] =>
  surprise.map((steps) => steps.map((f) => f > SURPRISED));

/** How well surprise tells first wrong steps from untouched ones at any threshold: J knows only one. */
function areaNote<Problem>({ cases }: Arm<Problem>, surprise: readonly number[][], calm: readonly number[][]) {
  const wrong = cases.map(({ steps }, index) => surprise[index]![firstWrong(steps)]!);
  const right = calm.flat();
  if (wrong.length === 0 || right.length === 0) return {};
  return { note: `AUC ${areaUnderCurve(wrong, right).toFixed(3)}, of surprise at first wrong against untouched steps` };
}

/** Share of right steps that were flagged, by problem. */
function alarmsBy<Problem>(bench: Bench<Problem>, right: readonly Case<Problem>[], flags: readonly boolean[][]) {
  return new Map(right.map(({ problem }, index) => {
    const { numerator, denominator } = flaggedOf(flags[index]!);
    return [bench.family.id(problem), denominator === 0 ? 0 : numerator / denominator];
  })); // biome-ignore format: one thought
}

const flaggedOf = (flags: readonly boolean[]): Ratio => ({
  numerator: flags.filter(Boolean).length,
  denominator: flags.length,
});

/** Hits minus false alarms; those of the same problem. */
function jRow<Problem>(
  bench: Bench<Problem>,
  { condition, cases }: Arm<Problem>,
  flags: readonly (readonly boolean[])[],
  alarms: ReadonlyMap<string, number>,
): ProbeRow {
  const problems = cases.map(({ problem }) => problem);
  const j = cases.map(({ problem, steps }, index) => {
    return Number(flags[index]![firstWrong(steps)]) - alarms.get(bench.family.id(problem))!;
  });
  return row(bench, 'latent_j', condition, j, problems);
}

/** False alarms on right steps. */
function rightRow<Problem>(
  { family }: Bench<Problem>,
  cases: readonly Case<Problem>[],
  flags: readonly (readonly boolean[])[],
): LatentRow {
  const outcomes = cases.map(({ problem }, index) => ({ problem: family.id(problem), ...flaggedOf(flags[index]!) }));
  return { kind: 'right', position: 0, outcomes };
}

/** Surprise at the n-th step that is wrong given what was written before it: a habit is less surprising each time. */
function byPosition<Problem>(
  { family }: Bench<Problem>,
  { kind, cases }: Pick<Arm<Problem>, 'kind' | 'cases'>,
  surprised: readonly (readonly boolean[])[],
): LatentRow[] {
  const places = cases.map(({ steps }) => [...steps.keys()].filter((at) => !steps[at]!.locallyRight));
  const most = Math.max(0, ...places.map((wrong) => wrong.length));
  return Array.from({ length: most }, (_, nth) => ({
    kind,
    position: nth + 1,
    outcomes: cases.flatMap(({ problem }, index): Outcome[] => {
      const at = places[index]![nth];
      if (at === undefined) return [];
      return [{ problem: family.id(problem), numerator: Number(surprised[index]![at]), denominator: 1 }];
    }),
  }));
}

const AS_SAMPLED =
  'read off the tokens as they were sampled; false alarms are those on right steps of the same replies';

/** Own errors whose tokens came along; right steps of the same replies are the other half. */
function asSampled<Problem>(bench: Bench<Problem>, own: readonly OwnError<Problem>[]): Latent {
  const seen = own.flatMap((error) => {
    const surprise = error.reply.tokens && surpriseAsSampled(error.reply.tokens, error.steps);
    return surprise === undefined ? [] : [{ ...error, flags: flagged([surprise])[0]! }]; // one in, one out
  });
  if (seen.length === 0) return { rows: [] };
  const rightOnes = seen.map(({ steps, flags }) => flags.filter((_, at) => steps[at]!.right));
  const flags = seen.map((error) => error.flags);
  const arm: Arm<Problem> = { kind: 'own', condition: 'kind=own', cases: seen };
  const j = jRow(bench, arm, flags, alarmsBy(bench, seen, rightOnes));
  const latent = [rightRow(bench, seen, rightOnes), ...byPosition(bench, arm, flags)];
  return { rows: [{ ...j, note: AS_SAMPLED }], latent: { rule: RULE, rows: latent } };
}
