import { InputError } from '../errors.ts';
import { rowKey } from '../record/condition.ts';
import { type Direction, type MetricName, metrics } from '../record/metrics.ts';
import type { Estimate, ProbeRow, Results } from '../record/results.ts';
import { differenceInterval } from '../stats/difference-interval.ts';
import type { Interval } from '../stats/interval.ts';
import { formatEstimate, formatInterval, formatSigned, rowTitle } from './format.ts';
import { printTable, type TerminalOptions, terminalColors, verdictPaint } from './terminal.ts';
import { directionArrows, type Verdict, verdict, verdictWords } from './verdict.ts';

/** One metric under one condition in two runs: what each run ended with, and the difference, second minus first. */
export type ComparedRow = {
  readonly metric: MetricName;
  readonly condition: string | undefined;
  readonly direction: Direction;
  readonly first: Estimate;
  readonly second: Estimate;
  readonly change: Interval & { readonly value: number };
  readonly verdict: Verdict;
};

export type Comparison = {
  readonly names: readonly [first: string, second: string];
  readonly rows: readonly ComparedRow[];
  /** Rows that stand in one run only or cannot be paired, each with the reason. */
  readonly leftOut: readonly { readonly title: string; readonly reason: string }[];
};

/**
 * Pairs what two runs ended with (their `after`, or `before` where only one model was measured) by metric and condition.
 * @throws InputError where the runs were measured on different problems, or share no row; the message says which.
 */
export function compareRuns(first: Results, second: Results): Comparison {
  refuseUnpairable(first, second);
  const others = new Map(second.probes.map((row) => [rowKey(row), row]));
  const pairs = first.probes.map((row) => [row, others.get(rowKey(row))] as const);
  const rows = pairs.flatMap(([row, other]) => (other && sameSize(row, other) ? [comparedRow(row, other)] : []));
  if (rows.length === 0)
    throw new InputError(`${bothNames(first, second)}: no metric was measured in both on as many problems`);
  return { names: [first.run.name, second.run.name], rows, leftOut: leftOut(first.probes, second.probes) };
}

/** Two runs pair where their probes used the same problems; where that was not recorded, the seed must vouch for it. */
function refuseUnpairable(first: Results, second: Results): void {
  const [ours, theirs] = [first.run.problems, second.run.problems];
  if (!ours || !theirs) {
    if (first.run.seed === second.run.seed) return;
    throw new InputError(
      `${bothNames(first, second)}: seeds ${first.run.seed} and ${second.run.seed} differ and the problems were not recorded; probe both with one seed`,
    );
  }
  for (const { family, count, sha256 } of ours) {
    const other = theirs.find((problems) => problems.family === family);
    if (!other)
      throw new InputError(
        `${bothNames(first, second)}: only the first was probed on ${family}; probe both on the same families`,
      );
    if (other.count !== count)
      throw new InputError(
        `${bothNames(first, second)}: ${count} and ${other.count} problems of ${family}; probe both with the same number`,
      );
    if (other.sha256 !== sha256)
      throw new InputError(
        `${bothNames(first, second)}: different problems of ${family}; probe both with the same probe seed`,
      );
  }
}

function bothNames(first: Results, second: Results): string {
  return `cannot compare ${first.run.name} with ${second.run.name}`;
}

const final = (row: ProbeRow): Estimate => row.after ?? row.before;

const sameSize = (row: ProbeRow, other: ProbeRow): boolean => final(row).n === final(other).n;

function comparedRow(row: ProbeRow, other: ProbeRow): ComparedRow {
  const [first, second] = [final(row), final(other)];
  const change = { value: second.value - first.value, ...differenceInterval(first, second) };
  const { metric, condition, direction } = row;
  return { metric, condition, direction, first, second, change, verdict: verdict(direction, change) };
}

function leftOut(first: readonly ProbeRow[], second: readonly ProbeRow[]): Comparison['leftOut'] {
  const [ours, theirs] = [first, second].map((rows) => new Map(rows.map((row) => [rowKey(row), row])));
  const missing = second
    .filter((row) => !ours!.has(rowKey(row)))
    .map((row) => ({ title: rowTitle(row), reason: 'only in the second' }));
  const unpaired = first.flatMap((row) => {
    const other = theirs!.get(rowKey(row));
    if (!other) return [{ title: rowTitle(row), reason: 'only in the first' }];
    if (sameSize(row, other)) return [];
    return [{ title: rowTitle(row), reason: `n = ${final(row).n} and ${final(other).n}` }];
  });
  return [...unpaired, ...missing];
}

/** The comparison as a table for a terminal. */
export function renderComparison(comparison: Comparison, options: TerminalOptions = {}): string {
  const paint = terminalColors(options);
  const [first, second] = comparison.names;
  const table = printTable(['', first, second, 'difference', ''].map((word) => paint.bold(word)));
  for (const row of comparison.rows) {
    const { unit } = metrics[row.metric];
    const { value, low, high } = row.change;
    table.push([
      `${directionArrows[row.direction]} ${rowTitle(row)}`,
      paint.dim(formatEstimate(row.first, unit)),
      formatEstimate(row.second, unit),
      `${formatSigned(value, unit)} ${formatInterval(low, high, unit)}`,
      verdictPaint(paint)[row.verdict](verdictWords[row.verdict]),
    ]);
  }
  const notes = comparison.leftOut.map(({ title, reason }) => `left out: ${title} (${reason})`);
  return `${[table.toString(), intervalNote, ...notes].join('\n')}\n`;
}

const intervalNote =
  'difference: second minus first, with an interval that does not use the pairing, so rather too wide';
