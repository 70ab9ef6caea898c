import * as Plot from '@observablehq/plot';
import type { LabFigure } from '../../results/lab-finding.ts';
import { drawChart, palette } from './chart.ts';
import { html, type Markup } from './markup.ts';

/** Series are told apart by shade, dash and a name at their end, never by colour alone. */
const STROKES = [palette.after, palette.bad, palette.ink, palette.muted, 'var(--injected)', palette.before];
const DASHES = ['', '6 3', '2 3', '8 3 2 3', '1 3', '10 4'];

type Point = { series: string; x: string | number; y: number; low: number; high: number; baseline: boolean };

/** A figure of an experiment, with what a reader has to know of it below. */
export function labFigure(figure: LabFigure): Markup {
  const points = figure.series.flatMap(({ name, baseline = false, points }) =>
    points.map(({ x, y, low = y, high = y }): Point => ({ series: name, x, y, low, high, baseline })),
  );
  const chart = figure.kind === 'bars' ? bars(figure, points) : lines(figure, points);
  return html`<figure><h3>${figure.title}</h3>${chart}${figure.note && html`<figcaption>${figure.note}</figcaption>`}</figure>
`;
}

/** One bar a name, longest label first to the left, its interval as a whisker. */
function bars({ title, y, mark }: LabFigure, points: readonly Point[]): Markup {
  const name = ({ series, x }: Point) => (series === '' ? String(x) : `${x} (${series})`);
  return drawChart(title, {
    width: 900,
    height: 60 + 26 * points.length,
    marginLeft: 260,
    marginRight: 70,
    x: { label: y, zero: true, grid: true },
    y: { label: null, domain: points.map(name) },
    marks: [
      Plot.barX(points, { x: 'y', y: name, fill: ({ baseline }: Point) => (baseline ? palette.before : palette.after), insetTop: 4, insetBottom: 4 }),
      Plot.ruleY(points, { x1: 'low', x2: 'high', y: name, stroke: palette.ink }),
      Plot.text(points, { x: 'high', y: name, text: ({ y: value }: Point) => number(value), dx: 6, textAnchor: 'start', fill: palette.ink }),
      ...markOf(mark, 'x'),
    ],
  });
} // biome-ignore format: a mark a line

function lines({ title, x, y, logX = false, mark, series }: LabFigure, points: readonly Point[]): Markup {
  const style = (name: string) => series.findIndex((one) => one.name === name) % STROKES.length;
  return drawChart(title, {
    width: 900,
    height: 380,
    marginLeft: 56,
    marginRight: 170,
    x: { label: x, type: logX ? 'log' : 'linear' },
    y: { label: y, grid: true },
    marks: [
      ...markOf(mark, 'y'),
      Plot.ruleX(points.filter(({ low, high }) => high > low), { x: 'x', y1: 'low', y2: 'high', stroke: palette.muted }),
      ...series.map(({ name }) => Plot.line(points.filter((point) => point.series === name), { x: 'x', y: 'y', stroke: STROKES[style(name)] ?? palette.ink, strokeDasharray: DASHES[style(name)] ?? '', strokeWidth: 1.75 })),
      Plot.dot(points, { x: 'x', y: 'y', r: 2.5, fill: ({ series: name }: Point) => STROKES[style(name)] ?? palette.ink }),
      Plot.text(points, Plot.selectLast({ x: 'x', y: 'y', z: 'series', text: 'series', dx: 8, textAnchor: 'start', fill: palette.ink })),
    ],
  });
} // biome-ignore format: a mark a line

function markOf(mark: LabFigure['mark'], axis: 'x' | 'y'): Plot.Markish[] {
  if (!mark) return [];
  const style = { stroke: palette.muted, strokeDasharray: '3 3' };
  const rule = axis === 'x' ? Plot.ruleX([mark.value], style) : Plot.ruleY([mark.value], style);
  const at = axis === 'x' ? { x: mark.value, frameAnchor: 'top' as const, dy: -10 } : { y: mark.value, frameAnchor: 'right' as const, dy: -7 };
  return [rule, Plot.text([mark.name], { ...at, text: (name: string) => name, fill: palette.muted })];
} // biome-ignore format: two axes

/** Three figures that count. */
export function number(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(1);
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(4)));
}
