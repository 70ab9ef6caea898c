import * as Plot from '@observablehq/plot';
import { metrics } from '../../record/metrics.ts';
import type { Estimate, ProbeRow, Results } from '../../record/results.ts';
import { behaviourTitles } from '../behaviour-titles.ts';
import { formatSigned, formatValue, rowTitle } from '../format.ts';
import { type StoryLine, story } from '../story.ts';
import { verdict } from '../verdict.ts';
import { drawChart, palette } from './chart.ts';
import { html, type Markup } from './markup.ts';

/** One dumbbell: a row of results at its place in the picture. */
type Dumbbell = {
  readonly row: ProbeRow;
  /** Vertical place. */
  readonly line: string;
  /** Horizontal place. */
  readonly panel: string;
  /** Written in front of the first dumbbell of a behaviour. */
  readonly heading: string | undefined;
};

const panels = ['The behaviour', 'Its mirror: the opposite failure'] as const;

/** The story in one picture: each behaviour before and after with its interval, and its mirror beside it. */
export function storyFigure(results: Results): Markup {
  const lines = story(results);
  return html`<div class="wide">${sideBySide(lines)}</div><div class="narrow">${stacked(lines)}</div>`;
}

function sideBySide(lines: readonly StoryLine[]): Markup {
  const dumbbells = lines.flatMap(({ behaviour, headline, mirror }): Dumbbell[] => [
    { row: headline, line: behaviour, panel: panels[0], heading: behaviourTitles[behaviour] },
    ...(mirror ? [{ row: mirror, line: behaviour, panel: panels[1], heading: undefined }] : []),
  ]);
  return drawChart('Each behaviour before and after, with its mirror', {
    width: 980,
    height: 62 * lines.length + 62,
    marginLeft: 158,
    marginRight: 0,
    marginTop: 34,
    marginBottom: 26,
    x: { ...shareAxis(dumbbells), insetRight: 118 },
    fx: { domain: [...panels], label: null, padding: 0.06 },
    y: { domain: lines.map(({ behaviour }) => behaviour), axis: null, padding: 0 },
    marks: [
      Plot.axisFx({
        anchor: 'top',
        fontSize: 12,
        fill: palette.muted,
        textAnchor: 'start',
        frameAnchor: 'left',
        dx: -8,
      }),
      ...dumbbellMarks(dumbbells, { fx: 'panel' }),
      Plot.text(
        dumbbells.filter(({ heading }) => heading),
        {
          fx: 'panel',
          y: 'line',
          text: 'heading',
          frameAnchor: 'left',
          textAnchor: 'start',
          dx: -158,
          dy: 7,
          ...headingStyle,
        },
      ),
    ],
  });
}

function stacked(lines: readonly StoryLine[]): Markup {
  const dumbbells = lines.flatMap(({ behaviour, headline, mirror }): Dumbbell[] => [
    { row: headline, line: behaviour, panel: '', heading: behaviourTitles[behaviour] },
    ...(mirror ? [{ row: mirror, line: `${behaviour} mirror`, panel: '', heading: undefined }] : []),
  ]);
  return drawChart('Each behaviour before and after, with its mirror below it', {
    width: 360,
    height: 66 * dumbbells.length + 40,
    marginLeft: 8,
    marginRight: 0,
    marginTop: 14,
    marginBottom: 26,
    x: { ...shareAxis(dumbbells), insetRight: 112 },
    y: { domain: dumbbells.map(({ line }) => line), axis: null, padding: 0 },
    marks: [
      ...dumbbellMarks(dumbbells, {}),
      Plot.text(
        dumbbells.filter(({ heading }) => heading),
        { y: 'line', text: 'heading', frameAnchor: 'left', textAnchor: 'start', dx: -8, dy: -24, ...headingStyle },
      ),
    ],
  });
}

const headingStyle = { fontSize: 14, fontWeight: 600, fill: palette.ink } as const;

function dumbbellMarks(dumbbells: readonly Dumbbell[], facet: { fx?: 'panel' }): Plot.Markish[] {
  const drawn = dumbbells.filter(({ row }) => isOnAxis(row));
  const paired = drawn.filter(({ row }) => row.after);
  const place = { ...facet, y: 'line', dy: 7 } as const;
  const title = { ...facet, y: 'line', frameAnchor: 'left', textAnchor: 'start', dx: -5, dy: -10 } as const;
  return [
    Plot.gridX({ ticks, stroke: palette.rule, strokeOpacity: 1 }),
    Plot.axisX({ ticks, tickSize: 0, fill: palette.muted, fontSize: 11, label: null }),
    Plot.ruleY(paired, { ...place, x1: value('before'), x2: value('after'), stroke: palette.before, strokeWidth: 1, strokeDasharray: '1 3' }),
    Plot.ruleY(drawn, { ...place, x1: edge('before', 'low'), x2: edge('before', 'high'), stroke: palette.before, strokeWidth: 2 }),
    Plot.ruleY(paired, { ...place, x1: edge('after', 'low'), x2: edge('after', 'high'), stroke: palette.after, strokeWidth: 3 }),
    Plot.dot(drawn, { ...place, x: value('before'), r: 5, fill: palette.paper, stroke: palette.before, strokeWidth: 2 }),
    Plot.dot(paired, { ...place, x: value('after'), r: 5.5, fill: palette.after }),
    Plot.text(dumbbells, { ...title, text: titleOf, fontSize: 12.5, fill: palette.ink }),
    Plot.text(dumbbells, { ...facet, y: 'line', frameAnchor: 'right', textAnchor: 'end', dx: -4, dy: 7, text: numbersOf, fontSize: 12.5, fill: (d: Dumbbell) => (isBad(d.row) ? palette.bad : palette.ink) }),
  ]; // biome-ignore format: one mark a line
}

const ticks = [0, 0.25, 0.5, 0.75, 1];

function shareAxis(dumbbells: readonly Dumbbell[]) {
  const lows = dumbbells.filter(({ row }) => isOnAxis(row)).flatMap(({ row }) => [row.before.low, row.after?.low ?? 0]);
  return { domain: [Math.min(0, ...lows), 1], label: null, tickFormat: (tick: number) => String(tick) };
}

/** Amounts that are not shares stand beside the axis as numbers only. */
function isOnAxis(row: ProbeRow): boolean {
  const { unit } = metrics[row.metric];
  return unit === 'share' || unit === 'difference';
}

function isBad(row: ProbeRow): boolean {
  return verdict(row) === 'worse';
}

const edge = (side: 'before' | 'after', field: keyof Estimate) => (dumbbell: Dumbbell) => dumbbell.row[side]?.[field];
const value = (side: 'before' | 'after') => edge(side, 'value');

const directionNotes = { up: '', down: '  (← better)', hold: '  (should stay)' } as const;

function titleOf({ row }: Dumbbell): string {
  return `${rowTitle(row)}${directionNotes[row.direction]}`;
}

function numbersOf({ row }: Dumbbell): string {
  const { unit } = metrics[row.metric];
  const before = formatValue(row.before.value, unit);
  if (!row.after) return before;
  const both = `${before} → ${formatValue(row.after.value, unit)}`;
  if (isOnAxis(row)) return both;
  return `${both}  (${formatSigned(row.after.value - row.before.value, unit)})`;
}
