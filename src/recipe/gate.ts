import { RunError } from '../errors.ts';
import type { GateVerdict } from '../record/event.ts';
import { rowKey } from '../results/condition.ts';
import { estimateOptions, estimateRow } from '../results/estimate-row.ts';
import type { MetricName } from '../results/metrics.ts';
import type { ProbeReport, ProbeRow } from '../results/probe-report.ts';
import { change } from '../stats/change.ts';
import type { Estimate } from '../stats/estimate.ts';
import { barValue, parseBar } from './bar.ts';
import { nearest } from './nearest.ts';
import type { Gate } from './recipe.ts';

/**
 * Holds a row against its bar. A bar that refers to another row (`before - 0.02`, `copies=1`) is judged on the paired
 * change from that row, which is tighter than two intervals side by side. A row that counted nothing tells nothing: its
 * interval is the metric's whole range.
 * @throws RunError where the probe did not measure such a row.
 */
export function judge(gate: Gate, report: ProbeReport, before: ProbeReport): GateVerdict {
  const sense = gate.atLeast === undefined ? 'at_most' : 'at_least';
  const compared = gate.on ?? (sense === 'at_least' ? 'low' : 'high');
  const { bar, measured, reference } = compare(gate, report, before);
  const number = measured?.[compared] ?? worst(gate.metric, sense);
  const held = sense === 'at_least' ? number >= bar : number <= bar;
  const { after, metric, condition, otherwise } = gate;
  return { after, metric, condition, otherwise, sense, compared, bar, number, measured, reference, held };
}

function worst(metric: MetricName, sense: 'at_least' | 'at_most'): number {
  const [low, high] = estimateOptions(metric).range ?? [-Number.MAX_VALUE, Number.MAX_VALUE];
  return sense === 'at_least' ? low : high;
}

function compare(
  gate: Gate,
  report: ProbeReport,
  before: ProbeReport,
): { bar: number; measured?: Estimate | undefined; reference?: string } {
  const row = findRow(report, gate.metric, gate.condition);
  const bar = parseBar((gate.atLeast ?? gate.atMost)!)!; // the recipe's schema saw to both
  const measured = estimateRow(row);
  if (typeof bar === 'number') return { bar, measured };
  const reference =
    bar.reference === 'before'
      ? findRow(before, gate.metric, gate.condition)
      : findRow(report, gate.metric, bar.reference);
  const base = estimateRow(reference);
  if (!measured || !base) return { bar: base ? barValue(bar, base.value) : 0 };
  const { low, high } = change(reference.outcomes, row.outcomes, estimateOptions(gate.metric));
  return {
    bar: barValue(bar, base.value),
    reference: bar.reference,
    measured: { ...measured, low: base.value + low, high: base.value + high },
  };
}

/** @throws RunError naming the conditions under which the metric was measured. */
export function findRow(report: ProbeReport, metric: MetricName, condition: string | undefined): ProbeRow {
  const key = rowKey({ metric, condition });
  const row = report.rows.find((candidate) => rowKey(candidate) === key);
  if (row) return row;
  const measured = report.rows.filter((candidate) => candidate.metric === metric).map((one) => one.condition ?? 'none');
  const known = measured.length > 0 ? nearest(condition ?? 'none', measured) : '; the probes did not measure it';
  throw new RunError(`gate on ${metric}: no row with condition ${condition ?? 'none'}${known}`);
}
