import { behaviourOf, behaviours, metricOf } from '../results/metrics.ts';
import type { GateRow, ProbeRow, Results } from '../results/results.ts';
import { rowVerdict } from '../results/verdict.ts';
import { visibleData } from '../visible.ts';
import { fullDoseOnly } from './dose-response.ts';
import { competenceLines, confoundLines, endpointLines, skippedLines } from './endpoint-lines.ts';
import { columnsOf, fits, wrapped } from './fit.ts';
import { formatEstimate, formatSeconds, formatSigned, rowTitle } from './format.ts';
import { gateBar, gateCount, gateMeasured, referenceNote } from './gate-text.ts';
import { byMetric } from './group-rows.ts';
import { type Colors, type TerminalOptions, terminalColors, verdictPaint } from './paint.ts';
import { printTable } from './print-table.ts';
import { sizes } from './sizes.ts';
import { narrowGates, narrowProbes } from './terminal-narrow.ts';
import { directionArrows, tableKey, verdictWords } from './verdict-words.ts';

/** The widest table. */
const WIDE = 116;

/** Before v. after with intervals, gates and time, as text: tables, or two lines a row where the terminal is narrow. */
export function renderTerminal(given: Results, options: TerminalOptions = {}): string {
  const results = visibleData({ ...given, transcripts: [] }); // they are not shown here
  const paint = terminalColors(options);
  const { columns = columnsOf() } = options;
  const { gates } = results;
  const rows = byMetric(fullDoseOnly(results.probes));
  const choose = (wide: string, narrow: () => string) => (fits(wide, columns ?? WIDE) ? wide : narrow());
  const parts = [choose(probeTable(rows, paint), () => narrowProbes(rows, paint)), probeCaption(results)];
  if (gates.length > 0) {
    parts.push(
      choose(gateTable(gates, paint), () => narrowGates(gates, paint)),
      ...gateCaption(gates),
    );
  }
  parts.push(
    ...competenceLines(results),
    ...skippedLines(results),
    ...confoundLines(results),
    ...endpointLines(results),
  );
  const text = `${[...parts, `total time ${formatSeconds(results.seconds.total)}`].join('\n')}\n`;
  return columns === undefined ? text : wrapped(text, columns);
}

function probeTable(rows: readonly ProbeRow[], paint: Colors): string {
  const paired = rows.some((row) => row.after);
  const head = paired ? ['', 'before', 'after', 'change', ''] : ['', 'measured'];
  const table = printTable(head.map((word) => paint.bold(word)));
  for (const behaviour of behaviours()) {
    const its = rows.filter((row) => row.behaviour === behaviour);
    if (its.length === 0) continue;
    table.push([{ colSpan: head.length, content: paint.bold(behaviourOf(behaviour).title) }]);
    for (const row of its) table.push(probeCells(row, paint).slice(0, head.length));
  }
  return table.toString();
}

function probeCells(row: ProbeRow, paint: Colors): string[] {
  const { unit } = metricOf(row.metric);
  const outcome = rowVerdict(row);
  return [
    `  ${directionArrows[row.direction]} ${rowTitle(row)}`,
    paint.dim(formatEstimate(row.before, unit)),
    row.after ? formatEstimate(row.after, unit) : '',
    row.change ? formatSigned(row.change.value, unit) : '',
    outcome ? verdictPaint(paint)[outcome](verdictWords[outcome]) : '',
  ];
}

const gateCaption = (gates: readonly GateRow[]): string[] =>
  [referenceNote(gates), gateCount(gates)].filter((line) => line !== undefined);

function probeCaption({ probes, statistics }: Results): string {
  const n = probes.length === 0 ? '' : `n = ${sizes(probes.map((row) => row.before))} problems a row; `;
  const how = statistics ? `${statistics.confidence * 100} % intervals: ${statistics.interval}` : '95 % intervals';
  return `${n}${how}; dose n: n steps of that kind stand in the own history, and the largest n is shown\n${tableKey}`;
}

function gateTable(gates: readonly GateRow[], paint: Colors): string {
  const table = printTable(['gate after', 'metric', 'bar', 'measured', ''].map((word) => paint.bold(word)));
  for (const gate of gates) {
    const held = gate.held ? paint.green('held') : paint.red('MISSED');
    table.push([gate.after_stage, rowTitle(gate), gateBar(gate), gateMeasured(gate, true), held]);
  }
  return table.toString();
}
