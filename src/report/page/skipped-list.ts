import type { Results } from '../../results/results.ts';
import { skippedName } from '../endpoint-lines.ts';
import { html, type Markup } from './markup.ts';

/** What was asked for and is missing from the numbers, with the reason. */
export function skippedList(skipped: NonNullable<Results['skipped']>): Markup {
  const items = skipped.map((one) => html`<dt>${skippedName(one)}</dt><dd>${one.why}</dd>`);
  return html`<dl class="facts">${items}</dl>`;
}
