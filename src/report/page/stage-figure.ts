import * as Plot from '@observablehq/plot';
import { rowKey } from '../../results/condition.ts';
import { metricOf } from '../../results/metrics.ts';
import type { Estimate, ProbeRow, Results } from '../../results/results.ts';
import { unitRange } from '../../results/units.ts';
import { rowTitle } from '../format.ts';
import { byMetric } from '../group-rows.ts';
import { headlineRows } from '../headline-rows.ts';
import { sizes } from '../sizes.ts';
import { drawChart, palette } from './chart.ts';
import type { Markup } from './markup.ts';
import { shareTicks, smallChart, smallCharts, smallGrid, smallSize, valueDomain } from './small-chart.ts';

type Moment = Estimate & { readonly stage: string };
type Bar = { readonly stage: string; readonly bar: number; readonly held: boolean };

/** Every gated number, and those of the story, through the stages that they were probed after, with the bars of the gates. */
export function stageFigure(results: Results): Markup | undefined {
  const charts = followed(results).flatMap((row) => {
    const moments = momentsOf(row, results);
    return moments.length < 2 ? [] : [stageChart(row, moments, results)];
  });
  return charts.length === 0 ? undefined : smallCharts(charts);
}

/** In the order of the tables. */
function followed(results: Results): readonly ProbeRow[] {
  const told = headlineRows(results).flatMap(({ headline, mirror }) => (mirror ? [headline, mirror] : [headline]));
  const keys = new Set([...results.gates, ...told].map(rowKey));
  return byMetric(results.probes).filter((row) => keys.has(rowKey(row)));
}

/** Of one model, what was measured is what the run ended with. */
function momentsOf(row: ProbeRow, { stages = [] }: Results): Moment[] {
  const between = stages
    .filter(({ stage }) => stage !== BASE)
    .flatMap(({ stage, rows }): Moment[] => {
      const measured = rows.find((other) => rowKey(other) === rowKey(row));
      return measured ? [{ ...measured, stage }] : [];
    });
  const last = { ...(row.after ?? row.before), stage: END };
  return row.after ? [{ ...row.before, stage: BASE }, ...between, last] : [...between, last];
}

const BASE = 'base';
const END = 'end';

function stageChart(row: ProbeRow, moments: readonly Moment[], { stages = [], gates }: Results): Markup {
  const bars = gates
    .filter((gate) => rowKey(gate) === rowKey(row))
    .map(({ after_stage, bar, held }) => ({ stage: after_stage, bar, held }));
  const names = [BASE, ...stages.map(({ stage }) => stage).filter((stage) => stage !== BASE), END];
  const note = `${metricOf(row.metric).meaning} n = ${sizes(moments)}.`;
  return smallChart(rowTitle(row), drawStages(row, names, moments, bars), note);
}

function drawStages(
  row: ProbeRow,
  stages: readonly string[],
  moments: readonly Moment[],
  bars: readonly Bar[],
): Markup {
  const isShare = unitRange[metricOf(row.metric).unit] !== undefined;
  const reach = [...moments.flatMap(({ low, high }) => [low, high]), ...bars.map(({ bar }) => bar)];
  return drawChart(`${rowTitle(row)} after each stage`, {
    ...smallSize,
    height: 222,
    marginRight: 14,
    marginBottom: 62,
    x: { type: 'band', domain: [...stages], label: null, padding: 0.3 },
    y: { domain: valueDomain(row.metric, reach) },
    marks: [
      ...smallGrid(isShare ? shareTicks : undefined),
      Plot.axisX({ tickSize: 0, label: null, fill: palette.muted, fontSize: 10.5, tickRotate: -45 }),
      Plot.tickY(bars, {
        x: 'stage',
        y: 'bar',
        stroke: ({ held }: Bar) => (held ? palette.ink : palette.bad),
        strokeWidth: 2,
      }),
      Plot.ruleX(moments, { x: 'stage', y1: 'low', y2: 'high', stroke: palette.after, strokeWidth: 1.5 }),
      ...pieces(moments, stages).map(({ pair, isNext }) => {
        const gap = isNext ? {} : { strokeDasharray: '2 5', strokeOpacity: 0.7 };
        return Plot.lineY(pair, { x: 'stage', y: 'value', stroke: palette.after, strokeWidth: 1.5, ...gap });
      }),
      Plot.dot(moments, { x: 'stage', y: 'value', r: 3.5, fill: palette.after }),
    ],
  });
}

/** The line from each measured point to the next, and whether no stage in between went unmeasured. */
function pieces(moments: readonly Moment[], stages: readonly string[]): { pair: Moment[]; isNext: boolean }[] {
  return moments.slice(1).map((to, index) => {
    const from = moments[index]!; // one before
    return { pair: [from, to], isNext: stages.indexOf(to.stage) - stages.indexOf(from.stage) === 1 };
  });
}
