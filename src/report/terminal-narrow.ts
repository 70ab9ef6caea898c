import { behaviourOf, behaviours, metricOf } from '../results/metrics.ts';
import type { GateRow, ProbeRow } from '../results/results.ts';
import { rowVerdict } from '../results/verdict.ts';
import { formatEstimate, formatSigned, rowTitle } from './format.ts';
import { gateBar, gateMeasured } from './gate-text.ts';
import { type Colors, verdictPaint } from './paint.ts';
import { directionArrows, verdictWords } from './verdict-words.ts';

/** The rows of a table that is too wide for this terminal, on two lines each. */
export function narrowProbes(rows: readonly ProbeRow[], paint: Colors): string {
  const sections = behaviours().flatMap((behaviour) => {
    const its = rows.filter((row) => row.behaviour === behaviour);
    return its.length === 0
      ? []
      : [paint.bold(behaviourOf(behaviour).title), ...its.map((row) => probeLines(row, paint))];
  });
  return sections.join('\n');
}

function probeLines(row: ProbeRow, paint: Colors): string {
  const { unit } = metricOf(row.metric);
  const outcome = rowVerdict(row);
  const word = outcome ? `: ${verdictPaint(paint)[outcome](verdictWords[outcome])}` : '';
  const before = paint.dim(formatEstimate(row.before, unit));
  const after = row.after ? ` → ${formatEstimate(row.after, unit)}` : '';
  const change = row.change ? `  ${formatSigned(row.change.value, unit)}` : '';
  return `  ${directionArrows[row.direction]} ${rowTitle(row)}${word}\n      ${before}${after}${change}`;
}

export function narrowGates(gates: readonly GateRow[], paint: Colors): string {
  const lines = gates.map((gate) => {
    const held = gate.held ? paint.green('held  ') : paint.red('MISSED');
    return `${held}  ${gate.after_stage}: ${rowTitle(gate)}\n        ${gateBar(gate)}, is ${gateMeasured(gate)}`;
  });
  return [paint.bold('Gates'), ...lines].join('\n');
}
