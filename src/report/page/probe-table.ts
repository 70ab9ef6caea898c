import { behaviourOf, behaviours, metricOf } from '../../results/metrics.ts';
import type { Estimate, ProbeRow } from '../../results/results.ts';
import type { Unit } from '../../results/units.ts';
import { verdict } from '../../results/verdict.ts';
import { formatChange, formatCondition, formatInterval, formatP, formatValue } from '../format.ts';
import { byMetric } from '../group-rows.ts';
import { directionArrows, verdictWords } from '../verdict-words.ts';
import { html, type Markup } from './markup.ts';

/** Every row that was measured, with its change, p value and size. */
export function probeTable(rows: readonly ProbeRow[]): Markup {
  const paired = rows.some((row) => row.after);
  const heads = paired ? ['before', 'after', 'change', '', 'n'] : ['measured', 'n'];
  const sections = behaviours().map((behaviour) => {
    const its = byMetric(rows.filter((row) => row.behaviour === behaviour));
    return its.length === 0 ? undefined : section(behaviourOf(behaviour).title, its, paired);
  });
  return html`<div class="scroll" tabindex="0"><table class="numbers">
<thead><tr><td></td>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
${sections}</table></div>`;
}

function section(title: string, rows: readonly ProbeRow[], paired: boolean): Markup {
  return html`<tbody><tr class="section"><th colspan="${paired ? 6 : 3}" scope="rowgroup">${title}</th></tr>
${rows.map((row, index) => tableRow(row, rows[index - 1]?.metric !== row.metric, paired))}</tbody>
`;
}

/** What a metric means stands under its first row only. */
function tableRow(row: ProbeRow, isFirst: boolean, paired: boolean): Markup {
  const { unit } = metricOf(row.metric);
  const after = paired ? [estimateCell(row.after, unit), ...changeCells(row, unit)] : [];
  return html`<tr>${nameCell(row, isFirst)}${estimateCell(row.before, unit)}${after}<td>${row.before.n}</td></tr>
`;
}

function nameCell(row: ProbeRow, isFirst: boolean): Markup {
  const { title, meaning } = metricOf(row.metric);
  const condition = formatCondition(row.condition);
  const notes = [isFirst ? meaning : undefined, row.note].filter((note) => note !== undefined).join(' ');
  return html`<th scope="row"><span class="arrow">${directionArrows[row.direction]}</span>${isFirst ? title : ''}
${condition ? html`<em>${condition}</em>` : undefined}${notes ? html`<small>${notes}</small>` : undefined}</th>`;
}

function estimateCell(estimate: Estimate | undefined, unit: Unit): Markup {
  if (!estimate) return html`<td></td>`;
  return html`<td>${formatValue(estimate.value, unit)}<small>${formatInterval(estimate.low, estimate.high, unit)}</small></td>`;
}

function changeCells({ change, direction }: ProbeRow, unit: Unit): Markup[] {
  if (!change) return [html`<td></td><td></td>`];
  const outcome = verdict(direction, change);
  const p = change.p_holm === undefined ? formatP(change.p) : `${formatP(change.p_holm)} (Holm)`;
  const [value, interval] = formatChange(change, unit).split(/ (?=\[)/);
  return [
    html`<td>${value}<small>${interval}</small></td>`,
    html`<td class="verdict ${outcome}">${verdictWords[outcome]}<small>${p}</small></td>`,
  ];
}
