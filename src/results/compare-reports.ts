import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../errors.ts';
import { holm } from '../stats/holm.ts';
import { parseCondition } from './condition.ts';
import { dependsOnMode } from './mode.ts';
import { pairReports } from './pair-reports.ts';
import type { ProbeReport } from './probe-report.ts';
import type { ProbeRow } from './results.ts';
import { rowVerdict } from './verdict.ts';

/** What two runs ended with, paired by problem. */
export type Comparison = {
  readonly names: readonly [first: string, second: string];
  /** `before` is the first run's model, `after` the second's; p values are adjusted over all rows. */
  readonly rows: readonly ProbeRow[];
  /** Rows that got worse at `familyError`, or moved where they should have stayed. */
  readonly worse: readonly ProbeRow[];
  /** The family-wise error at which a row counts as worse. */
  readonly familyError: number;
};

const FAMILY_ERROR = 0.05;

/**
 * Two models, each of which was measured on the problems of one draw that it can solve, are compared on those that both
 * can.
 * @throws InputError where the problems were not drawn alike, or the two have none in common.
 */
export function compareReports(names: Comparison['names'], one: ProbeReport, other: ProbeReport): Comparison {
  const same = isDeepStrictEqual(one.problems.map(drawOf), other.problems.map(drawOf));
  if (!same) {
    throw new InputError(
      `${names[0]} and ${names[1]} were measured on different problems; measure both with the same --problems and --seed`,
    );
  }
  const [first, second] = inCommon(one, other);
  const modes = [modeOf(first), modeOf(second)] as const;
  if (modes[0] !== undefined && modes[1] !== undefined && modes[0] !== modes[1]) {
    const [one, other] = names.map((name, at) => `${name} was measured by ${modes[at]}`);
    const what = `${one} and ${other!.replace('was measured ', '')}`; // two names, two sentences
    throw new InputError(`${what}, which are different measurements; measure both with the same --mode`);
  }
  const rows = withHolm(pairReports(first, second).probes);
  if (rows.length === 0)
    throw new InputError(`${names[0]} and ${names[1]} have no row in common; nothing can be paired`);
  return { names, rows, worse: rows.filter(isWorse), familyError: FAMILY_ERROR };
}

/** Which problems were drawn, whoever could solve them. */
const drawOf = ({ family, count, sha256, shots, gate }: ProbeReport['problems'][number]) =>
  gate ? { family, shots, drawn: gate.drawn, sha256: gate.sha256 } : { family, shots, count, sha256 };

/** The rows over the problems that both were measured on. */
function inCommon(one: ProbeReport, other: ProbeReport): [ProbeReport, ProbeReport] {
  if (isDeepStrictEqual(one.problems, other.problems)) return [one, other];
  const [its, others] = [measured(one), measured(other)];
  const only = (report: ProbeReport): ProbeReport => ({
    ...report,
    rows: report.rows.map((row) => {
      const outcomes = row.outcomes.filter(({ problem }) => its.has(problem) && others.has(problem));
      return { ...row, outcomes };
    }),
  });
  return [only(one), only(other)];
}

const measured = ({ rows }: ProbeReport): ReadonlySet<string> =>
  new Set(rows.flatMap(({ outcomes }) => outcomes.map(({ problem }) => problem)));

/** How the model was made to continue open work; undefined where nothing that was measured depends on it. */
function modeOf({ rows }: ProbeReport): 'history' | 'prefill' | undefined {
  if (rows.some(({ condition }) => parseCondition(condition).get('mode') === 'history')) return 'history';
  return rows.some(({ metric }) => dependsOnMode(metric)) ? 'prefill' : undefined;
}

/** Here every row may be the one that got worse, so all of them are the family. */
function withHolm(rows: readonly ProbeRow[]): ProbeRow[] {
  const paired = rows.filter((row) => row.change);
  const adjusted = holm(paired.map((row) => row.change!.p)); // filtered just above
  return paired.map((row, index) => ({ ...row, change: { ...row.change!, p_holm: adjusted[index]! } }));
}

function isWorse(row: ProbeRow): boolean {
  const kind = rowVerdict(row);
  return (kind === 'worse' || kind === 'moved') && row.change!.p_holm! <= FAMILY_ERROR; // withHolm gave every row both
}
