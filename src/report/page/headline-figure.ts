import * as Plot from '@observablehq/plot';
import { behaviourOf, metricOf } from '../../results/metrics.ts';
import type { Estimate, ProbeRow, Results } from '../../results/results.ts';
import { rowVerdict } from '../../results/verdict.ts';
import { formatSigned, formatValue, rowTitle } from '../format.ts';
import { type HeadlineRow, headlineRows } from '../headline-rows.ts';
import { drawChart, palette } from './chart.ts';
import { html, type Markup } from './markup.ts';

/** One row of results at its place in the picture. */
type Dumbbell = {
  readonly row: ProbeRow;
  /** Of the line through its dots, in pixels from the top. */
  readonly y: number;
  readonly panel: string;
  readonly title: string;
  /** Names the behaviour, once. */
  readonly heading: string | undefined;
};

const panels = ['The behaviour', 'Its mirror: the opposite failure'] as const;

/** The story in one picture: each behaviour before and after with its interval, its mirror beside it, or below on a phone. */
export function storyFigure(results: Results): Markup {
  const lines = headlineRows(results);
  return html`<div class="wide">${sideBySide(lines)}</div><div class="narrow">${stacked(lines)}</div>`;
}

const wideRow = 58;

function sideBySide(lines: readonly HeadlineRow[]): Markup {
  const dumbbells = lines.flatMap(({ behaviour, headline, mirror }, index): Dumbbell[] => {
    const y = 70 + wideRow * index;
    const heading = behaviourOf(behaviour).title;
    const main = { row: headline, y, panel: panels[0], title: titleOf(headline), heading };
    return mirror ? [main, { row: mirror, y, panel: panels[1], title: titleOf(mirror), heading: undefined }] : [main];
  });
  const named = { y: 'y', dx: -162, frameAnchor: 'left', textAnchor: 'start', ...headingStyle } as const;
  return drawChart('Each behaviour before and after, with its mirror beside it', {
    width: 980,
    height: 70 + wideRow * lines.length + 4,
    marginLeft: 162,
    marginRight: 0,
    marginTop: 40,
    marginBottom: 30,
    x: { domain: shareDomain(dumbbells), insetRight: 118 },
    fx: { domain: [...panels], axis: null, padding: 0.06 },
    y: { type: 'identity', axis: null },
    marks: [
      Plot.text(panels, { fx: (panel) => panel, text: (panel) => panel, frameAnchor: 'top-left', dx: -5, dy: -38, fontSize: 12.5, fill: palette.muted }),
      Plot.text(dumbbells.some(({ row }) => row.after) ? [panels[0]] : [], { fx: (panel) => panel, text: ['○ before  ● after'], frameAnchor: 'top-left', dx: -162, dy: -38, fontSize: 12.5, fill: palette.muted }),
      ...dumbbellMarks(dumbbells, { fx: 'panel' }),
      Plot.text(withHeading(dumbbells), { fx: 'panel', text: 'heading', ...named }),
    ],
  }); // biome-ignore format: one mark a line
}

function stacked(lines: readonly HeadlineRow[]): Markup {
  const heights = lines.map(({ mirror }) => (mirror ? 104 : 64));
  const tops = heights.map((_, index) => heights.slice(0, index).reduce((sum, height) => sum + height, 14));
  const dumbbells = lines.flatMap(({ behaviour, headline, mirror }, index): Dumbbell[] => {
    const y = tops[index]! + 64;
    const main = { row: headline, y, panel: '', title: titleOf(headline), heading: behaviourOf(behaviour).title };
    if (!mirror) return [main];
    return [main, { row: mirror, y: y + 40, panel: '', title: `mirror: ${titleOf(mirror)}`, heading: undefined }];
  });
  const named = { y: 'y', dx: -5, dy: -38, frameAnchor: 'left', textAnchor: 'start', ...headingStyle } as const;
  return drawChart('Each behaviour before and after, with its mirror below it', {
    width: 360,
    height: heights.reduce((sum, height) => sum + height, 58),
    marginLeft: 6,
    marginRight: 0,
    marginTop: 22,
    marginBottom: 28,
    x: { domain: shareDomain(dumbbells), insetRight: 112 },
    y: { type: 'identity', axis: null },
    marks: [...dumbbellMarks(dumbbells, {}), Plot.text(withHeading(dumbbells), { text: 'heading', ...named })],
  });
}

const withHeading = (dumbbells: readonly Dumbbell[]) => dumbbells.filter(({ heading }) => heading !== undefined);

/** Text on top of grid lines is set off by a rim of paper. */
const rim = { stroke: palette.paper, strokeWidth: 5 } as const;
const headingStyle = { fontSize: 14, fontWeight: 600, fill: palette.ink, ...rim } as const;

function dumbbellMarks(dumbbells: readonly Dumbbell[], facet: { readonly fx?: 'panel' }): Plot.Markish[] {
  const drawn = dumbbells.filter(({ row }) => isOnAxis(row));
  const paired = drawn.filter(({ row }) => row.after);
  const place = { ...facet, y: 'y' } as const;
  const title = {
    ...place,
    frameAnchor: 'left',
    textAnchor: 'start',
    dx: -5,
    dy: -18,
    fontSize: 12.5,
    ...rim,
  } as const;
  const numbers = { ...place, frameAnchor: 'right', textAnchor: 'end', fontSize: 12.5, ...rim } as const;
  return [
    Plot.gridX({ ticks, stroke: palette.rule, strokeOpacity: 1 }),
    Plot.axisX({ ticks, tickFormat: String, tickSize: 0, fill: palette.muted, fontSize: 11, label: null }),
    Plot.ruleY(paired, { ...place, x1: value('before'), x2: value('after'), stroke: palette.before, strokeDasharray: '1 3' }),
    Plot.ruleY(drawn, { ...place, x1: edge('before', 'low'), x2: edge('before', 'high'), stroke: palette.before, strokeWidth: 2 }),
    Plot.ruleY(paired, { ...place, x1: edge('after', 'low'), x2: edge('after', 'high'), stroke: palette.after, strokeWidth: 3 }),
    Plot.dot(drawn, { ...place, x: value('before'), r: 5, fill: palette.paper, stroke: palette.before, strokeWidth: 2 }),
    Plot.dot(paired, { ...place, x: value('after'), r: 5, fill: palette.after }),
    Plot.text(dumbbells, { ...title, text: 'title', fill: palette.ink }),
    Plot.text(dumbbells, { ...numbers, text: numbersOf, fill: ({ row }: Dumbbell) => rowVerdict(row) === 'worse' ? palette.bad : palette.ink }),
  ]; // biome-ignore format: one mark a line
}

const ticks = [0, 0.25, 0.5, 0.75, 1];

/** From 0 to 1; to the left of 0 only as far as a difference of shares was measured there. */
function shareDomain(dumbbells: readonly Dumbbell[]): [number, number] {
  const lows = dumbbells.filter(({ row }) => isOnAxis(row)).flatMap(({ row }) => [row.before.low, row.after?.low ?? 0]);
  return [Math.min(0, ...lows), 1];
}

/** Amounts that are not shares stand beside the axis as numbers only. */
function isOnAxis(row: ProbeRow): boolean {
  const { unit } = metricOf(row.metric);
  return unit === 'share' || unit === 'difference';
}

const edge = (side: 'before' | 'after', field: keyof Estimate) => (dumbbell: Dumbbell) => dumbbell.row[side]?.[field];
const value = (side: 'before' | 'after') => edge(side, 'value');

const directionNotes = { up: '', down: '  (← better)', hold: '  (should stay)' } as const;

function titleOf(row: ProbeRow): string {
  return `${rowTitle(row)}${directionNotes[row.direction]}`;
}

function numbersOf({ row }: Dumbbell): string {
  const { unit } = metricOf(row.metric);
  const before = formatValue(row.before.value, unit);
  if (!row.after) return before;
  const both = `${before} → ${formatValue(row.after.value, unit)}`;
  return isOnAxis(row) ? both : `${both}  (${formatSigned(row.after.value - row.before.value, unit)})`;
}
