import { metricOf } from '../../results/metrics.ts';
import type { ProbeRow } from '../../results/results.ts';
import { html, type Markup } from './markup.ts';

/** What each of these numbers is, once, beside the figure that shows them. */
export function terms(rows: readonly Pick<ProbeRow, 'metric'>[]): Markup {
  const metrics = [...new Set(rows.map(({ metric }) => metric))].map(metricOf);
  return html`<dl class="terms">${metrics.map(({ title, meaning }) => html`<dt>${title}</dt><dd>${meaning}</dd>`)}</dl>`;
}
