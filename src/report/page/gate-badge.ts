import type { GateRow } from '../../results/results.ts';
import { html, type Markup } from './markup.ts';

/** At the head of the page: whether every gate held, and how many did not. Nothing where there are no gates. */
export function gateBadge(gates: readonly GateRow[]): Markup | undefined {
  if (gates.length === 0) return undefined;
  const missed = gates.filter(({ held }) => !held).length;
  const words = missed === 0 ? `✓ all ${gates.length} gates held` : `✗ ${missed} of ${gates.length} gates missed`;
  return html`<p><a class="badge ${missed === 0 ? 'good' : 'bad'}" href="#gates">${words}</a></p>
`;
}
