import type { Estimate, LatentTable } from '../../results/results.ts';
import { html, type Markup } from './markup.ts';

type LatentRow = LatentTable['rows'][number];
type Side = 'before' | 'after';

const kindTitles: Readonly<Record<LatentRow['kind'], string>> = {
  right: 'right steps (false alarms)',
  slip: 'a slip',
  misconception: 'a misconception',
  own: 'own sampled errors',
};

/** What the model's own surprise sees, by kind of error and by how many such errors came before. */
export function latentTable(latent: LatentTable): Markup {
  const sides: readonly Side[] = latent.rows.some((row) => row.after) ? ['before', 'after'] : ['before'];
  return html`<div class="pair">${sides.map((side) => sideTable(latent.rows, side, sides.length > 1 ? side : undefined))}</div>`;
}

function sideTable(rows: readonly LatentRow[], side: Side, caption: string | undefined): Markup {
  const positions = [...new Set(rows.map((row) => row.position).filter((position) => position > 0))].sort(
    (a, b) => a - b,
  );
  const kinds = [...new Set(rows.map((row) => row.kind))];
  return html`<table class="heat">
${caption && html`<caption>${caption}</caption>`}
<thead><tr><th scope="col">wrong step number</th>${positions.map((position) => html`<th scope="col">${position}</th>`)}</tr></thead>
<tbody>${kinds.map((kind) =>
    kindRow(
      rows.filter((row) => row.kind === kind),
      positions,
      side,
    ),
  )}</tbody>
</table>`;
}

/** Right steps have no position: their false alarms stand once, in the first column. */
function kindRow(rows: readonly LatentRow[], positions: readonly number[], side: Side): Markup {
  const { kind } = rows[0]!; // kinds come from the rows
  const cells = positions.map((position, index) => {
    const row = rows.find((row) => row.position === position || (row.position === 0 && index === 0));
    return cell(row?.[side], kind === 'right');
  });
  return html`<tr><th scope="row">${kindTitles[kind]}</th>${cells}</tr>`;
}

function cell(estimate: Estimate | undefined, isFalseAlarm: boolean): Markup {
  if (!estimate) return html`<td class="none"></td>`;
  const write = (share: number) => share.toFixed(isFalseAlarm ? 3 : 2).replace(/^0\./, '.');
  const look = [isFalseAlarm ? 'alarm' : 'seen', ...(estimate.value > 0.55 ? ['strong'] : [])].join(' ');
  return html`<td class="${look}" style="--value:${write(estimate.value)}">${write(estimate.value)}<small>${write(estimate.low)}–${write(estimate.high)}</small></td>`;
}
