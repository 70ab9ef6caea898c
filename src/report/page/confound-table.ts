import { behaviourOf } from '../../results/metrics.ts';
import type { Confound } from '../confounds.ts';
import { html, type Markup } from './markup.ts';

/** A threat a line, under the behaviour that it threatens. */
export function confoundTable(confounds: readonly Confound[]): Markup {
  const rows = confounds.map(({ behaviour, threat, state, how }, index) => {
    const first = behaviour !== confounds[index - 1]?.behaviour;
    return html`<tr${first ? html` class="first"` : undefined}><td>${first ? behaviourOf(behaviour).title : ''}</td>
<th scope="row">${threat}</th><td>${state}</td><td>${how}</td></tr>
`;
  });
  return html`<div class="scroll" tabindex="0"><table class="numbers gates">
<thead><tr><td></td><th scope="col">what else</th><th scope="col"></th><th scope="col">how</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}
