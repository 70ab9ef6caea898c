import type { LabTable } from '../results/lab-finding.ts';
import type { LabResults } from '../results/lab-results.ts';
import { verdictLine } from '../results/lab-verdict.ts';
import { formatSeconds } from './format.ts';
import { number } from './page/lab-figure.ts';
import { type TerminalOptions, terminalColors } from './paint.ts';
import { printTable } from './print-table.ts';

/** An experiment for a terminal: its tables, the comparisons with what was declared of them, and the verdict last. */
export function renderLabTerminal(results: LabResults, options: TerminalOptions = {}): string {
  const paint = terminalColors(options);
  const { finding, verdict, declaration, claim } = results;
  const lines = finding.comparisons.map(
    ({ name, unit, value, low, high, expected, threshold, over }) =>
      `  ${name}: ${number(value)} [${number(low)}, ${number(high)}] ${unit}; declared ${expected} ${number(threshold)}; over ${over}`,
  );
  const failed = finding.controls
    .filter(({ held }) => !held)
    .map(({ name, what }) => `  control failed: ${name}: ${what}`);
  return [
    ...finding.tables.map(tableText),
    ...lines,
    ...failed,
    `total time ${formatSeconds(results.seconds)}`,
    '',
    `claim: “${claim}”`,
    paint.bold(verdictLine(verdict, finding.headline)),
    paint.dim(`not to be concluded: ${declaration.notConcluded}`),
    '',
  ].join('\n');
}

function tableText({ title, columns, rows, note }: LabTable): string {
  const table = printTable(columns);
  for (const row of rows) table.push(row.map((cell) => (typeof cell === 'number' ? number(cell) : cell)));
  return [title, table.toString(), ...(note ? [note] : []), ''].join('\n');
}
