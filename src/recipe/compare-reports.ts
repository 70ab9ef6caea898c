import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../errors.ts';
import { hangsOnMode } from '../probes/mode.ts';
import type { ProbeReport } from '../probes/prober.ts';
import { parseCondition } from '../record/condition.ts';
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

/** How open work was gone on with (`probes/mode.ts`); undefined where nothing measured hangs on it. */
function modeOf({ rows }: ProbeReport): 'history' | 'prefill' | undefined {
  if (rows.some(({ condition }) => parseCondition(condition).get('mode') === 'history')) return 'history';
  return rows.some(({ metric }) => hangsOnMode(metric)) ? 'prefill' : undefined;
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
