import type { GateRow } from '../../results/results.ts';
import { rowTitle } from '../format.ts';
import { gateBar, gateMeasured } from '../gate-text.ts';
import { html, type Markup } from './markup.ts';

/** Every bar with what was measured against it, missed ones marked in word, sign and colour. */
export function gateTable(gates: readonly GateRow[]): Markup {
  return html`<div class="scroll" tabindex="0"><table class="numbers gates">
<thead><tr><td></td><th scope="col">after</th><th scope="col">metric</th><th scope="col">bar</th><th scope="col">measured</th></tr></thead>
<tbody>${gates.map((gate, index) => gateRow(gate, gates[index - 1]?.after_stage !== gate.after_stage))}</tbody></table></div>`;
}

function gateRow(gate: GateRow, isFirstOfStage: boolean): Markup {
  const held = gate.held ? html`<td class="verdict better">✓ held</td>` : html`<td class="verdict worse">✗ missed</td>`;
  return html`<tr${isFirstOfStage ? html` class="first"` : undefined}>${held}<td>${isFirstOfStage ? gate.after_stage : ''}</td>
<th scope="row">${rowTitle(gate)}</th><td>${gateBar(gate)}</td><td>${gateMeasured(gate)}</td></tr>
`;
}
