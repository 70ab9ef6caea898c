import { metrics } from '../record/metrics.ts';
import type { GateRow, ProbeRow, Results } from '../record/results.ts';
import { behaviourTitles } from './behaviour-titles.ts';
import { formatCount, formatEstimate, formatSeconds, rowTitle } from './format.ts';
import { gateBar, gateCount } from './gate-text.ts';
import { story } from './story.ts';
import { summary } from './summary.ts';
import { directionArrows } from './verdict.ts';

/** A Hugging Face model card (README.md) for the model that a run left: what it was taught, what that cost, how to get it again. */
export function renderModelCard(results: Results): string {
  const parts = [frontMatter(results), `# ${results.run.name}`, summary(results).join(' '), behaviourTable(results)];
  if (results.gates.length > 0) parts.push(gateTable(results.gates));
  return `${[...parts, origin(results)].join('\n\n')}\n`;
}

function frontMatter({ run }: Results): string {
  const lines = [
    'library_name: transformers',
    ...(run.model ? [`base_model: ${JSON.stringify(run.model)}`] : []),
    'tags:',
    '- unrut',
  ];
  return `---\n${lines.join('\n')}\n---`;
}

function behaviourTable(results: Results): string {
  const rows = story(results).flatMap(({ behaviour, headline, mirror }) => [
    tableRow(`**${behaviourTitles[behaviour]}**`, headline),
    ...(mirror ? [tableRow('mirror', mirror)] : []),
  ]);
  const confidence = (results.statistics?.confidence ?? 0.95) * 100;
  const note = `Brackets: ${confidence} % intervals. ↑ more is better, ↓ less is better, = should stay. The mirror is where the same remedy, overdone, would show.`;
  return ['| | | before | after | n |', '|---|---|---|---|---|', ...rows, '', note].join('\n');
}

function tableRow(first: string, row: ProbeRow): string {
  const { unit } = metrics[row.metric];
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

function origin({ run, seconds, stages = [] }: Results): string {
  const tokens = stages.reduce((sum, stage) => sum + stage.tokens, 0);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['started from', run.model],
    ['stages', Object.entries(seconds.stages).map(([stage, spent]) => `${stage} ${formatSeconds(spent)}`).join(', ')],
    ['tokens', tokens > 0 ? formatCount(tokens) : undefined],
    ['seed', String(run.seed)],
    ['recipe sha256', `\`${run.recipe_sha256}\``],
    ['versions', Object.entries(run.versions).map(([name, version]) => `${name} ${version}`).join(', ')],
    ['machine', run.machine],
  ]; // biome-ignore format: one fact a line
  const lines = facts.flatMap(([name, value]) => (value ? [`- ${name}: ${value}`] : []));
  return ['## Where this comes from', '', ...lines].join('\n');
}
