import type { EndpointUse } from '../../results/results.ts';
import { html, type Markup } from './markup.ts';

/** What was asked of a server, whether it does that, and how it was seen. */
export function selfTestTable({ address, model, self_test }: EndpointUse): Markup {
  const rows = Object.entries(self_test).map(
    ([name, { can, how }]) => html`<tr><th scope="row">${name.replaceAll('_', ' ')}</th>
<td class="verdict ${can ? 'better' : ''}">${can ? '✓ yes' : '✗ no'}</td><td>${how}</td></tr>
`,
  );
  return html`<p>${model}, as it answers at ${address}.</p><div class="scroll" tabindex="0"><table class="self-test">
<thead><tr><td></td><td></td><th scope="col">how that was seen</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
