import Table from 'cli-table3';
import pc from 'picocolors';
import { behaviours, metrics } from '../record/metrics.ts';
import type { GateRow, ProbeRow, Results } from '../record/results.ts';
import { behaviourTitles } from './behaviour-titles.ts';
import { formatEstimate, formatSeconds, formatSigned, formatValue, rowTitle } from './format.ts';
import { gateBar, gateCount } from './gate-text.ts';
import { fullDoseOnly } from './ladder.ts';
import { sizes } from './sizes.ts';
import { directionArrows, rowVerdict, type Verdict, verdictWords } from './verdict.ts';

export type TerminalOptions = {
  /** Colours; by default only where standard output is a terminal and NO_COLOR is not set. */
  readonly colors?: boolean;
};

export type Colors = ReturnType<typeof pc.createColors>;

/** Before v. after with intervals, gates and time, as text for a terminal of about 115 columns. */
export function renderTerminal(results: Results, options: TerminalOptions = {}): string {
  const paint = terminalColors(options);
  const parts = [probeTable(results.probes, paint), probeCaption(results)];
  if (results.gates.length > 0) parts.push(gateTable(results.gates, paint), gateCount(results.gates));
  return `${[...parts, `total time ${formatSeconds(results.seconds.total)}`].join('\n')}\n`;
}

/** The pens of a terminal, or of a pipe; see https://no-color.org. */
export function terminalColors({ colors }: TerminalOptions = {}): Colors {
  return pc.createColors(colors ?? (process.stdout.isTTY === true && !process.env.NO_COLOR));
}

/** Ruled like a table in print: no vertical lines; `rightAligned` columns, counted from 0, are those of plain counts. */
export function printTable(head: readonly string[], rightAligned: readonly number[] = []): Table.Table {
  const none = { left: '', 'left-mid': '', right: '', 'right-mid': '', middle: '  ', 'mid-mid': '──' };
  const ends = {
    'top-mid': '──',
    'top-left': '',
    'top-right': '',
    'bottom-mid': '──',
    'bottom-left': '',
    'bottom-right': '',
  };
  return new Table({
    head: [...head],
    chars: { ...none, ...ends },
    colAligns: head.map((_, column) => (rightAligned.includes(column) ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
}

function probeTable(rows: readonly ProbeRow[], paint: Colors): string {
  const paired = rows.some((row) => row.after);
  const head = paired ? ['', 'before', 'after', 'change', ''] : ['', 'measured'];
  const table = printTable(head.map((word) => paint.bold(word)));
  const shown = fullDoseOnly(rows);
  for (const behaviour of behaviours) {
    const its = shown.filter((row) => row.behaviour === behaviour);
    if (its.length === 0) continue;
    table.push([{ colSpan: head.length, content: paint.bold(behaviourTitles[behaviour]) }]);
    for (const row of its) table.push(probeCells(row, paint).slice(0, head.length));
  }
  return table.toString();
}

function probeCells(row: ProbeRow, paint: Colors): string[] {
  const { unit } = metrics[row.metric];
  const outcome = rowVerdict(row);
  return [
    `  ${directionArrows[row.direction]} ${rowTitle(row)}`,
    paint.dim(formatEstimate(row.before, unit)),
    row.after ? formatEstimate(row.after, unit) : '',
    row.change ? formatSigned(row.change.value, unit) : '',
    outcome ? verdictPaint(paint)[outcome](verdictWords[outcome]) : '',
  ];
}

/** Colour of a verdict; the word says the same. */
export function verdictPaint(paint: Colors): Readonly<Record<Verdict, (text: string) => string>> {
  return { better: paint.green, worse: paint.red, moved: paint.yellow, held: paint.dim, unclear: paint.dim };
}

function probeCaption({ probes, statistics }: Results): string {
  const n = probes.length === 0 ? '' : `n = ${sizes(probes.map((row) => row.before))} problems a row; `;
  const how = statistics ? `${statistics.confidence * 100} % intervals: ${statistics.interval}` : '95 % intervals';
  return `${n}${how}; of dose ladders the highest rung\n↑ more is better, ↓ less is better, = should stay`;
}

function gateTable(gates: readonly GateRow[], paint: Colors): string {
  const table = printTable(['gate after', 'metric', 'bar', 'measured', ''].map((word) => paint.bold(word)));
  for (const gate of gates) {
    const { unit } = metrics[gate.metric];
    const measured = gate.measured ? formatEstimate(gate.measured, unit) : formatValue(gate.low_or_high, unit);
    const held = gate.held ? paint.green('held') : paint.red('MISSED');
    table.push([gate.after_stage, rowTitle(gate), gateBar(gate), measured, held]);
  }
  return table.toString();
}
