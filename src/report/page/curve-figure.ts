import * as Plot from '@observablehq/plot';
import type { TrainingCurve } from '../../results/results.ts';
import { drawChart, palette } from './chart.ts';
import { html, type Markup } from './markup.ts';
import { smallChart, smallCharts, smallGrid, smallSize } from './small-chart.ts';

/** The curves that a reader looks for; what else was logged is folded away. */
const LOOKED_FOR = ['loss', 'reward', 'j', 'kl'];

/** Training curves as they were logged, one small chart each. */
export function curveFigure(curves: readonly TrainingCurve[]): Markup | undefined {
  const drawn = curves.filter(({ points }) => points.length > 1);
  if (drawn.length === 0) return undefined;
  const first = drawn.filter(({ name }) => LOOKED_FOR.includes(name));
  const others = drawn.filter(({ name }) => !LOOKED_FOR.includes(name));
  if (first.length === 0 || others.length === 0) return smallCharts(drawn.map(curveChart));
  return html`${smallCharts(first.map(curveChart))}
<details><summary>${others.length} more curves</summary>${smallCharts(others.map(curveChart))}</details>`;
}

function curveChart({ stage, name, unit, points }: TrainingCurve): Markup {
  const chart = drawChart(`${name} during ${stage}`, {
    ...smallSize,
    height: 150,
    marginRight: 12,
    x: { label: null },
    marks: [
      ...smallGrid(),
      Plot.axisX({ ticks: 4, tickSize: 0, label: null, fill: palette.muted, fontSize: 10.5 }),
      Plot.line(thinned(points), { stroke: palette.ink, strokeWidth: 1.25 }),
    ],
  });
  return smallChart(`${stage}: ${name}`, chart, [unit, 'by optimiser step'].filter(Boolean).join(', '));
}

/** More points than pixels cost bytes and show nothing: every k-th, and the last. */
function thinned(points: TrainingCurve['points']): [number, number][] {
  const every = Math.ceil(points.length / 300);
  return points
    .filter((_, index) => index % every === 0 || index === points.length - 1)
    .map(([step, value]) => [step, value]);
}
