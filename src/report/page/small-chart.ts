import * as Plot from '@observablehq/plot';
import { type MetricName, metricOf } from '../../results/metrics.ts';
import { unitRange } from '../../results/units.ts';
import { html, type Markup } from './markup.ts';

/** A small chart with its title above and what its axes mean below. */
export function smallChart(title: string, chart: Markup, note: string): Markup {
  return html`<figure class="small"><h4>${title}</h4>${chart}<figcaption>${note}</figcaption></figure>`;
}

/** Small multiples, as many beside each other as the page is wide. */
export function smallCharts(charts: readonly Markup[]): Markup {
  return html`<div class="small-charts">${charts}</div>`;
}

export const smallSize = {
  width: 300,
  height: 190,
  marginLeft: 40,
  marginRight: 46,
  marginTop: 12,
  marginBottom: 30,
} as const;

/** Shares run from 0 to 1 whatever the data, so that small changes look small; amounts from what was seen. */
export function valueDomain(metric: MetricName, values: readonly number[]): [number, number] {
  const range = unitRange[metricOf(metric).unit];
  if (range) return [Math.min(0, ...values), 1];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = (most - least) * 0.1 || Math.abs(most) * 0.05;
  return [least - room, most + room];
}

/** The marks under every small chart. */
export function smallGrid(ticks?: readonly number[]): Plot.Markish[] {
  const fixed = ticks ? { ticks: [...ticks] } : { ticks: 4 };
  return [
    Plot.gridY({ ...fixed, stroke: 'var(--rule)', strokeOpacity: 1 }),
    Plot.axisY({ ...fixed, tickSize: 0, label: null, fill: 'var(--muted)', fontSize: 10.5 }),
  ];
}

export const shareTicks = [0, 0.5, 1] as const;
