import * as Plot from '@observablehq/plot';
import { rowKey } from '../../record/condition.ts';
import { metricOf, unitRange } from '../../record/metrics.ts';
import type { Estimate, GateRow, Results, StageResult } from '../../record/results.ts';
import { rowTitle } from '../format.ts';
import { sizes } from '../sizes.ts';
import { drawChart, palette } from './chart.ts';
import type { Markup } from './markup.ts';
import { shareTicks, smallChart, smallCharts, smallGrid, smallSize, valueDomain } from './small-chart.ts';

type StageRow = StageResult['rows'][number];
type Moment = Estimate & { readonly stage: string };
type Bar = { readonly stage: string; readonly bar: number; readonly held: boolean };

/** Every gated number after every stage, with the bars of the gates. Nothing where no stage was probed. */
export function stageFigure({ stages = [], gates }: Results): Markup | undefined {
  const followed = new Map(stages.flatMap(({ rows }) => rows.map((row) => [rowKey(row), row] as const)));
  if (followed.size === 0) return undefined;
  return smallCharts([...followed].map(([key, row]) => stageChart(key, row, stages, gates)));
}

function stageChart(key: string, row: StageRow, stages: readonly StageResult[], gates: readonly GateRow[]): Markup {
  const moments = stages.flatMap(({ stage, rows }): Moment[] => {
    const measured = rows.find((other) => rowKey(other) === key);
    return measured ? [{ ...measured, stage }] : [];
  });
  const bars = gates
    .filter((gate) => rowKey(gate) === key)
    .map(({ after_stage, bar, held }) => ({ stage: after_stage, bar, held }));
  const chart = drawStages(
    row,
    stages.map(({ stage }) => stage),
    moments,
    bars,
  );
  return smallChart(rowTitle(row), chart, `n = ${sizes(moments)}`);
}

function drawStages(
  row: StageRow,
  stages: readonly string[],
  moments: readonly Moment[],
  bars: readonly Bar[],
): Markup {
  const isShare = unitRange[metricOf(row.metric).unit] !== undefined;
  const reach = [...moments.flatMap(({ low, high }) => [low, high]), ...bars.map(({ bar }) => bar)];
  return drawChart(`${rowTitle(row)} after each stage`, {
    ...smallSize,
    height: 212,
    marginRight: 14,
    marginBottom: 52,
    x: { type: 'band', domain: [...stages], label: null, padding: 0.3 },
    y: { domain: valueDomain(row.metric, reach) },
    marks: [
      ...smallGrid(isShare ? shareTicks : undefined),
      Plot.axisX({ tickSize: 0, label: null, fill: palette.muted, fontSize: 10.5, tickRotate: -35 }),
      Plot.tickY(bars, {
        x: 'stage',
        y: 'bar',
        stroke: ({ held }: Bar) => (held ? palette.ink : palette.bad),
        strokeWidth: 2,
      }),
      Plot.ruleX(moments, { x: 'stage', y1: 'low', y2: 'high', stroke: palette.after, strokeWidth: 1.5 }),
      Plot.lineY(moments, { x: 'stage', y: 'value', stroke: palette.after, strokeWidth: 1.5 }),
      Plot.dot(moments, { x: 'stage', y: 'value', r: 3.5, fill: palette.after }),
    ],
  });
}
