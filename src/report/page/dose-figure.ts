import * as Plot from '@observablehq/plot';
import { metricOf } from '../../results/metrics.ts';
import type { ProbeRow } from '../../results/results.ts';
import { unitRange } from '../../results/units.ts';
import { type Ladder, ladders } from '../dose-response.ts';
import { formatCondition } from '../format.ts';
import { sizes } from '../sizes.ts';
import { drawChart, palette } from './chart.ts';
import type { Markup } from './markup.ts';
import { shareTicks, smallChart, smallCharts, smallGrid, smallSize, valueDomain } from './small-chart.ts';

type Point = { readonly count: number; readonly value: number; readonly low: number; readonly high: number };

const countedWords = {
  dose: 'steps of this kind in the own history',
  copies: 'copies in the context',
  demos: 'demonstrations',
} as const;

/** Dose-response: how each metric follows what is counted up, before and after. Nothing where no row is part of a ladder. */
export function doseFigure(rows: readonly ProbeRow[]): Markup | undefined {
  const found = ladders(rows);
  return found.length === 0 ? undefined : smallCharts(found.map(doseChart));
}

function doseChart(ladder: Ladder): Markup {
  const { title, meaning } = metricOf(ladder.metric);
  const kind = formatCondition(ladder.condition);
  const n = sizes(ladder.rungs.map(({ row }) => row.before));
  const note = `${meaning} x: ${countedWords[ladder.counted]}; n = ${n}.`;
  return smallChart(kind ? `${title}: ${kind}` : title, drawDose(ladder, `${title} by ${ladder.counted}`), note);
}

function drawDose(ladder: Ladder, label: string): Markup {
  const before = points(ladder, 'before');
  const after = points(ladder, 'after');
  const isShare = unitRange[metricOf(ladder.metric).unit] !== undefined;
  const reach = [...before, ...after].flatMap(({ low, high }) => [low, high]);
  return drawChart(label, {
    ...smallSize,
    x: { type: 'point', label: null, tickSize: 0 },
    y: { domain: valueDomain(ladder.metric, reach) },
    marks: [
      ...smallGrid(isShare ? shareTicks : undefined),
      Plot.axisX({ tickSize: 0, label: null, fill: palette.muted, fontSize: 10.5 }),
      ...series(before, palette.before, { fill: palette.paper, stroke: palette.before, strokeWidth: 1.75 }),
      ...series(after, palette.after, { fill: palette.after }),
      ...(after.length === 0 ? [] : names(before.at(-1)!, after.at(-1)!)),
    ],
  });
}

function points(ladder: Ladder, side: 'before' | 'after'): Point[] {
  return ladder.rungs.flatMap(({ count, row }) => {
    const estimate = row[side];
    return estimate ? [{ count, value: estimate.value, low: estimate.low, high: estimate.high }] : [];
  });
}

function series(points: readonly Point[], color: string, dot: Plot.DotOptions): Plot.Markish[] {
  return [
    Plot.ruleX(points, { x: 'count', y1: 'low', y2: 'high', stroke: color, strokeWidth: 1.5 }),
    Plot.lineY(points, { x: 'count', y: 'value', stroke: color, strokeWidth: 1.5 }),
    Plot.dot(points, { x: 'count', y: 'value', r: 3.5, ...dot }),
  ];
}

/** Each line is named at its end; where the ends meet, the higher one moves up and the other down, clear of the axis. */
function names(before: Point, after: Point): Plot.Markish[] {
  const apart = after.value >= before.value ? -7 : 7;
  const near = Math.abs(after.value - before.value) < 0.12;
  const lift = near && Math.min(after.value, before.value) < 0.06 ? -7 : 0;
  const name = (point: Point, text: string, fill: string, dy: number) =>
    Plot.text([point], {
      x: 'count',
      y: 'value',
      text: [text],
      dx: 8,
      dy,
      textAnchor: 'start',
      fontSize: 11,
      fontWeight: 600,
      fill,
    });
  return [
    name(before, 'before', palette.before, lift + (near ? -apart : 0)),
    name(after, 'after', palette.after, lift + (near ? apart : 0)),
  ];
}
