import type { TestCase } from '../record/junit.ts';
import type { Comparison } from '../results/compare-reports.ts';
import { metricOf } from '../results/metrics.ts';
import type { GateRow, Results } from '../results/results.ts';
import { skippedName } from './endpoint-lines.ts';
import { formatChange, formatEstimate, formatP, rowTitle } from './format.ts';
import { gateBar, gateMeasured } from './gate-text.ts';

/** A test per gate. */
export function gateCases(gates: readonly GateRow[]): TestCase[] {
  return gates.map((gate) => ({
    name: `${rowTitle(gate)}: ${gateBar(gate)}`,
    group: `gates after ${gate.after_stage}`,
    failure: gate.held ? undefined : `measured ${gateMeasured(gate)}; the ${gateBar(gate)} was asked for`,
  }));
}

/** A test per row that was measured, and one, skipped, for each that was not: a probe has no bars to fail. */
export function probeCases({ probes, skipped = [] }: Results): TestCase[] {
  const measured = probes.map((row) => {
    const said = `${formatEstimate(row.before, metricOf(row.metric).unit)}, n = ${row.before.n}`;
    return { name: rowTitle(row), group: row.behaviour, said };
  });
  const missing = skipped.map((one) => ({ name: skippedName(one), group: one.behaviour, skipped: one.why }));
  return [...measured, ...missing];
}

/** A test per row of a comparison; it fails where the row got worse. */
export function comparisonCases({ rows, worse, names, familyError }: Comparison): TestCase[] {
  return rows.map((row) => {
    const { unit } = metricOf(row.metric);
    const { before, after, change } = row;
    const numbers = `${formatEstimate(before, unit)} in ${names[0]}, ${after ? formatEstimate(after, unit) : 'nothing'} in ${names[1]}`;
    const moved = change ? `; ${formatChange(change, unit)}, ${formatP(change.p_holm ?? change.p)}` : '';
    const failure = worse.includes(row)
      ? `worse at a family-wise error of ${familyError}: ${numbers}${moved}`
      : undefined;
    return { name: rowTitle(row), group: row.behaviour, failure };
  });
}
