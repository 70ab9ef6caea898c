import { formatCondition as joinCondition, parseCondition, rowKey } from '../results/condition.ts';
import type { MetricName } from '../results/metrics.ts';
import type { ProbeRow } from '../results/results.ts';

/** Conditions that count something up: more wrong steps, more copies, more demonstrations. */
const ladderKeys = ['dose', 'copies', 'demos'] as const;

/** The rows of one metric that differ in one count only, in ascending order of it: a dose-response curve. */
export type Ladder = {
  readonly metric: MetricName;
  /** What is counted. */
  readonly counted: (typeof ladderKeys)[number];
  /** The rest of the condition, the same for all rows: `kind=slip`. */
  readonly condition: string | undefined;
  readonly rungs: readonly { readonly count: number; readonly row: ProbeRow }[];
};

/** All ladders of at least two rungs, in the order of the rows. */
export function ladders(rows: readonly ProbeRow[]): Ladder[] {
  const series = new Map<string, Rung[]>();
  for (const rung of rows.map(rungOf).filter((rung) => rung !== undefined)) {
    series.set(rung.series, [...(series.get(rung.series) ?? []), rung]);
  }
  return [...series.values()].filter((rungs) => rungs.length > 1).map(toLadder);
}

/** The rows without the lower rungs of ladders: what is left when there is room for the full dose only. */
export function fullDoseOnly(rows: readonly ProbeRow[]): ProbeRow[] {
  const lower = new Set(ladders(rows).flatMap(({ rungs }) => rungs.slice(0, -1).map((rung) => rung.row)));
  return rows.filter((row) => !lower.has(row));
}

/** Equal for the rungs of one ladder; a row that is part of none stands for itself. */
export function seriesOf(row: ProbeRow): string {
  const parts = parseCondition(row.condition);
  const counted = ladderKeys.find((key) => parts.has(key));
  const condition = joinCondition([...parts].filter(([key]) => key !== counted));
  return `${rowKey({ metric: row.metric, condition })}${counted ? ` by ${counted}` : ''}`;
}

type Rung = Pick<Ladder, 'counted' | 'condition'> & Ladder['rungs'][number] & { readonly series: string };

function rungOf(row: ProbeRow): Rung | undefined {
  const parts = parseCondition(row.condition);
  const counted = ladderKeys.find((key) => parts.has(key));
  if (!counted) return undefined;
  const condition = joinCondition([...parts].filter(([key]) => key !== counted));
  const series = seriesOf(row);
  return { counted, count: Number(parts.get(counted)), row, series, condition };
}

function toLadder(rungs: readonly Rung[]): Ladder {
  const { row, counted, condition } = rungs[0]!; // groups are never empty
  return { metric: row.metric, counted, condition, rungs: [...rungs].sort((a, b) => a.count - b.count) };
}
