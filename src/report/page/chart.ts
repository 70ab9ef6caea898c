import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { Markup } from './markup.ts';

/** Charts take their colours from the page, so that one drawing serves light, dark and print. */
export const palette = {
  ink: 'var(--ink)',
  muted: 'var(--muted)',
  rule: 'var(--rule)',
  paper: 'var(--paper)',
  before: 'var(--before)',
  after: 'var(--after)',
  bad: 'var(--bad)',
} as const;

/** Draws with Observable Plot, without a browser, as SVG text. `label` says what the chart shows to those who do not see it. */
export function drawChart(label: string, options: Plot.PlotOptions): Markup {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({ document, style: { fontSize: '12px' }, ...options });
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  return new Markup(svg.outerHTML);
}

/** Marks of a quiet horizontal grid and a base line. */
export const quietGrid = { stroke: palette.rule, strokeOpacity: 1 } as const;
