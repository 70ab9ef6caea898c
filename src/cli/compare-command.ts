import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../errors.ts';
import type { ProbeReport } from '../probes/prober.ts';
import { pairReports } from '../recipe/pair-reports.ts';
import { metrics } from '../record/metrics.ts';
import type { ProbeRow } from '../record/results.ts';
import { AFTER_PROBE, readProbe } from '../record/run-folder.ts';
import { formatChange, formatEstimate, formatP, rowTitle } from '../report/format.ts';
import { printTable } from '../report/terminal.ts';
import { directionArrows, verdict, verdictWords } from '../report/verdict.ts';
import { holm } from '../stats/holm.ts';
import { EXIT } from './exit.ts';

export type CompareOptions = { readonly gate?: boolean; readonly json?: boolean };

/** The family-wise error at which a row counts as worse. */
const ALPHA = 0.05;

/** `unrut compare RUN RUN`: the second run's model against the first's, paired by problem. */
export async function compare(first: string, second: string, options: CompareOptions): Promise<number> {
  const [before, after] = [await readProbe(first, AFTER_PROBE), await readProbe(second, AFTER_PROBE)];
  refuseUnpaired(first, second, before, after);
  const rows = withHolm(pairReports(before, after).probes);
  const worse = rows.filter(isWorse);
  if (options.json) process.stdout.write(`${JSON.stringify({ kind: 'comparison', first, second, rows, worse })}\n`);
  else process.stdout.write(`${table(first, second, rows)}\n${summary(worse)}\n`);
  return options.gate && worse.length > 0 ? EXIT.gateMissed : EXIT.ok;
}

function refuseUnpaired(first: string, second: string, before: ProbeReport, after: ProbeReport): void {
  if (isDeepStrictEqual(before.problems, after.problems)) return;
  throw new InputError(
    `${first} and ${second} were measured on different problems; measure both with the same --problems and --seed`,
  );
}

/** Here every row may be the one that got worse, so all of them are the family. */
function withHolm(rows: readonly ProbeRow[]): ProbeRow[] {
  const paired = rows.filter((row) => row.change);
  const adjusted = holm(paired.map((row) => row.change!.p)); // filtered just above
  return paired.map((row, index) => ({ ...row, change: { ...row.change!, p_holm: adjusted[index]! } }));
}

function isWorse(row: ProbeRow): boolean {
  const kind = verdict(row);
  return (kind === 'worse' || kind === 'moved') && row.change!.p_holm! <= ALPHA; // withHolm gave every row both
}

function table(first: string, second: string, rows: readonly ProbeRow[]): string {
  const lines = printTable(['', first, second, 'change', 'Holm', '']);
  for (const row of rows) {
    const { unit } = metrics[row.metric];
    const { change, before, after } = row;
    lines.push([
      `${directionArrows[row.direction]} ${rowTitle(row)}`,
      formatEstimate(before, unit),
      after ? formatEstimate(after, unit) : '',
      change ? formatChange(change, unit) : '',
      change?.p_holm === undefined ? '' : formatP(change.p_holm),
      isWorse(row) ? 'WORSE' : verdictWords[verdict(row) ?? 'unclear'],
    ]);
  }
  return lines.toString();
}

function summary(worse: readonly ProbeRow[]): string {
  if (worse.length === 0) return `no row is worse at a family-wise error of ${ALPHA}`;
  return `worse at a family-wise error of ${ALPHA}: ${worse.map(rowTitle).join('; ')}`;
}
