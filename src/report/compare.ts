import type { Comparison } from '../results/compare-reports.ts';
import { metricOf } from '../results/metrics.ts';
import type { ProbeRow } from '../results/results.ts';
import { rowVerdict } from '../results/verdict.ts';
import { visibleLine } from '../visible.ts';
import { columnsOf, fits, wrapped } from './fit.ts';
import { formatChange, formatEstimate, formatP, rowTitle } from './format.ts';
import { type Colors, type TerminalOptions, terminalColors, verdictPaint } from './paint.ts';
import { printTable } from './print-table.ts';
import { directionArrows, tableKey, verdictWords } from './verdict-words.ts';

/** Two runs side by side, as text for a terminal. */
export function renderComparison(
  { names, rows, worse, familyError }: Comparison,
  options: TerminalOptions = {},
): string {
  const paint = terminalColors(options);
  const table = printTable(
    ['', ...names.map(visibleLine), 'second − first', 'Holm', ''].map((word) => paint.bold(word)),
  );
  for (const row of rows) table.push(cells(row, worse.includes(row), paint));
  const { columns = columnsOf() } = options;
  if (columns === undefined || fits(table.toString(), columns))
    return `${table.toString()}\n${caption(worse, familyError)}`;
  const narrow = rows.map((row) => narrowLines(row, worse.includes(row), paint));
  return wrapped(
    `${names.map(visibleLine).join(' → ')}\n${narrow.join('\n')}\n${caption(worse, familyError)}`,
    columns,
  );
}

const caption = (worse: readonly ProbeRow[], familyError: number): string =>
  `95 % intervals, paired by problem\n${tableKey}\n${summary(worse, familyError)}\n`;

function narrowLines(row: ProbeRow, isWorse: boolean, paint: Colors): string {
  const [title = '', before = '', after = '', change = '', p = '', word = ''] = cells(row, isWorse, paint);
  return `${title}: ${word}\n    ${before} → ${after}  ${[change, p].filter(Boolean).join(', ')}`;
}

function cells(row: ProbeRow, isWorse: boolean, paint: Colors): string[] {
  const { unit } = metricOf(row.metric);
  const { change, before, after } = row;
  const outcome = rowVerdict(row);
  const word = isWorse ? paint.red('WORSE') : outcome && verdictPaint(paint)[outcome](verdictWords[outcome]);
  return [
    `${directionArrows[row.direction]} ${rowTitle(row)}`,
    paint.dim(formatEstimate(before, unit)),
    after ? formatEstimate(after, unit) : '',
    change ? formatChange(change, unit) : '',
    change?.p_holm === undefined ? '' : formatP(change.p_holm),
    word ?? '',
  ];
}

function summary(worse: readonly ProbeRow[], familyError: number): string {
  if (worse.length === 0) return `no row is worse at a family-wise error of ${familyError}`;
  return `worse at a family-wise error of ${familyError}: ${worse.map(rowTitle).join('; ')}`;
}
