import { parseCondition } from '../results/condition.ts';
import { type Behaviour, behaviourOf, behaviours, type MetricName } from '../results/metrics.ts';
import type { ProbeRow, Results } from '../results/results.ts';
import { fullDoseOnly } from './dose-response.ts';

/** One behaviour in one line: the number that says it best, and beside it the one that the opposite failure would spoil. */
export type HeadlineRow = {
  readonly behaviour: Behaviour;
  readonly headline: ProbeRow;
  readonly mirror: ProbeRow | undefined;
};

/** A line for every behaviour that was measured. Of a ladder the highest rung speaks. */
export function headlineRows(results: Results): HeadlineRow[] {
  const rows = fullDoseOnly(results.probes);
  return behaviours().flatMap((behaviour) => {
    const { headline: headlines, mirror: mirrors } = behaviourOf(behaviour);
    const headline = firstOf(rows, headlines);
    return headline ? [{ behaviour, headline, mirror: firstOf(rows, mirrors) }] : [];
  });
}

/** The row of a metric without a condition, if it was measured. */
export function findRow(results: Results, metric: MetricName): ProbeRow | undefined {
  return results.probes.find((row) => row.metric === metric && row.condition === undefined);
}

function firstOf(rows: readonly ProbeRow[], wanted: readonly string[]): ProbeRow | undefined {
  return wanted.map((name) => rows.find((row) => isNamed(row, name))).find((row) => row !== undefined);
}

/** `j kind=own` names every row of `j` whose condition has that part, whatever else it has. */
function isNamed(row: ProbeRow, name: string): boolean {
  const [metric, condition] = name.split(' ');
  const parts = parseCondition(row.condition);
  return row.metric === metric && [...parseCondition(condition)].every(([key, value]) => parts.get(key) === value);
}
