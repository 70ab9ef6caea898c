import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../errors.ts';
import type { ProbeReport } from '../probes/prober.ts';
import type { ProbeRow } from '../record/results.ts';
import type { Comparison } from '../report/compare.ts';
import { rowVerdict } from '../report/verdict.ts';
import { holm } from '../stats/holm.ts';
import { pairReports } from './pair-reports.ts';

const FAMILY_ERROR = 0.05;

/** @throws InputError where the two were not measured on the same problems. */
export function compareReports(names: Comparison['names'], first: ProbeReport, second: ProbeReport): Comparison {
  if (!isDeepStrictEqual(first.problems, second.problems)) {
    throw new InputError(
      `${names[0]} and ${names[1]} were measured on different problems; measure both with the same --problems and --seed`,
    );
  }
  const rows = withHolm(pairReports(first, second).probes);
  return { names, rows, worse: rows.filter(isWorse), familyError: FAMILY_ERROR };
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
