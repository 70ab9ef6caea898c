import type { Results } from '../../results/results.ts';
import { formatCount, formatSeconds } from '../format.ts';
import { html, type Markup } from './markup.ts';

/** Time of every stage as a share of the whole, with its tokens where they were counted. */
export function costTable({ seconds, stages = [] }: Results): Markup {
  const rows = Object.entries(seconds.stages).map(([stage, spent]) => {
    const tokens = stages.find((other) => other.stage === stage)?.tokens;
    return html`<tr><th scope="row">${stage}</th><td>${formatSeconds(spent)}</td>
<td class="bar"><span style="width:${((100 * spent) / Math.max(seconds.total, spent)).toFixed(1)}%"></span></td>
<td>${tokens ? formatCount(tokens) : ''}</td><td>${tokens && spent > 0 ? formatCount(Math.round(tokens / spent)) : ''}</td></tr>
`;
  });
  return html`<div class="scroll" tabindex="0"><table class="numbers cost">
<thead><tr><th scope="col">stage</th><th scope="col">time</th><td></td><th scope="col">tokens</th><th scope="col">tokens/s</th></tr></thead>
<tbody>${rows}</tbody><tfoot><tr><th scope="row">total</th><td>${formatSeconds(seconds.total)}</td><td></td><td></td><td></td></tr></tfoot>
</table></div>`;
}
