import { behaviourOf, metricOf } from '../results/metrics.ts';
import type { GateRow, ProbeRow, Results } from '../results/results.ts';
import { formatCount, formatEstimate, rowTitle } from './format.ts';
import { gateBar, gateCount } from './gate-text.ts';
import { headlineRows } from './headline-rows.ts';
import { summary } from './summary.ts';
import { directionArrows } from './verdict-words.ts';

const FRONT_MATTER = '---\nlibrary_name: transformers\ntags:\n- unrut\n---';

/**
 * A Hugging Face model card (README.md) for the model that a run left: what it was taught, what that cost, how to get it
 * again. It tells no times, so that the same training leaves the same bytes.
 */
export function renderModelCard(results: Results): string {
  const parts = [FRONT_MATTER, `# ${results.run.name}`, summary(results).join(' '), behaviourTable(results)];
  if (results.gates.length > 0) parts.push(gateTable(results.gates));
  return `${[...parts, lossCurves(results), origin(results)].filter(Boolean).join('\n\n')}\n`;
}

function behaviourTable(results: Results): string {
  const rows = headlineRows(results).flatMap(({ behaviour, headline, mirror }) => [
    tableRow(`**${behaviourOf(behaviour).title}**`, headline),
    ...(mirror ? [tableRow('mirror', mirror)] : []),
  ]);
  const confidence = (results.statistics?.confidence ?? 0.95) * 100;
  const note = `Brackets: ${confidence} % intervals. ↑ more is better, ↓ less is better, = should stay. The mirror is where the same remedy, overdone, would show.`;
  return ['| | | before | after | n |', '|---|---|---|---|---|', ...rows, '', note].join('\n');
}

function tableRow(first: string, row: ProbeRow): string {
  const { unit } = metricOf(row.metric);
  const after = row.after ? formatEstimate(row.after, unit) : '';
  const cells = [
    first,
    `${directionArrows[row.direction]} ${rowTitle(row)}`,
    formatEstimate(row.before, unit),
    after,
    row.before.n,
  ];
  return `| ${cells.join(' | ')} |`;
}

function gateTable(gates: readonly GateRow[]): string {
  const rows = gates.map(
    (gate) => `| ${gate.after_stage} | ${rowTitle(gate)} | ${gateBar(gate)} | ${gate.held ? 'held' : '**missed**'} |`,
  );
  return [`## Gates: ${gateCount(gates)}`, '', '| after | metric | bar | |', '|---|---|---|---|', ...rows].join('\n');
}

/** Points of a curve that a card has room for. */
const POINTS = 12;

/** The loss of each stage that reports one, thinned out. */
function lossCurves({ curves = [] }: Results): string {
  const losses = curves.filter(({ name }) => name === 'loss');
  if (losses.length === 0) return '';
  const lines = losses.map(({ stage, points }) => {
    const every = Math.max(1, Math.floor(points.length / POINTS));
    const shown = points.filter((_, index) => index % every === 0 || index === points.length - 1);
    return `- ${stage}: ${shown.map(([step, loss]) => `${loss.toPrecision(3)} at ${step}`).join(', ')}`;
  });
  return ['## Loss by step, nats per token', '', ...lines].join('\n');
}

function origin({ run, stages = [] }: Results): string {
  const trained = stages.filter(({ tokens }) => tokens > 0);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['started from', run.model],
    ['stages', trained.map(({ stage, tokens }) => `${stage} (${formatCount(tokens)} tokens)`).join(', ')],
    ['seed', String(run.seed)],
    ['recipe sha256', `\`${run.recipe_sha256}\``],
    ['versions', Object.entries(run.versions).map(([name, version]) => `${name} ${version}`).join(', ')],
  ]; // biome-ignore format: one fact a line
  const lines = facts.flatMap(([name, value]) => (value ? [`- ${name}: ${value}`] : []));
  return ['## Where this comes from', '', ...lines].join('\n');
}
