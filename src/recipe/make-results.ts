import { lookUp } from '../look-up.ts';
import type { GateVerdict, RunEvent } from '../record/event.ts';
import { latestSteps } from '../record/event.ts';
import type { RunFolder } from '../record/run-folder.ts';
import { rowKey } from '../results/condition.ts';
import { estimateRow } from '../results/estimate-row.ts';
import { pairReports } from '../results/pair-reports.ts';
import type { ProbeReport, ProbeRow } from '../results/probe-report.ts';
import { carriedDefinitions } from '../results/probe-results.ts';
import {
  type GateRow,
  type Results,
  resultsSchemaName,
  type StageResult,
  type TrainingCurve,
} from '../results/results.ts';
import type { Recipe } from './load-recipe.ts';

/** All that was measured in a run. */
export type Measured = {
  /** Undefined for a model from scratch. */
  readonly before: ProbeReport | undefined;
  /** By stage, what its gates asked for. */
  readonly reports: ReadonlyMap<string, ProbeReport>;
  readonly after: ProbeReport;
  readonly verdicts: readonly GateVerdict[];
};

/** Puts a run's record into the contract of `results.json`. */
export function makeResults(recipe: Recipe, folder: RunFolder, parameters: number, measured: Measured): Results {
  const { before, after, reports, verdicts } = measured;
  const { card, journal } = folder;
  return {
    schema: resultsSchemaName,
    run: {
      name: card.name,
      seed: card.seed,
      versions: card.versions,
      recipe_sha256: card.recipe_sha256,
      ...(card.overrides && { overrides: card.overrides }),
      model: recipe.resolved.model,
      model_sha256: card.model_sha256,
      parameters,
      problems: after.problems,
      started: card.started,
      machine: card.machine,
    },
    ...carriedDefinitions([...(before?.rows ?? []), ...after.rows]),
    seconds: secondsSpent(journal.events),
    ...(before ? pairReports(before, after) : pairReports(after)),
    ...(after.skipped ? { skipped: after.skipped } : {}),
    gates: verdicts.map(gateRow),
    curves: curves(journal.events),
    stages: [
      ...(before ? [baseStage(before, reports)] : []),
      ...recipe.stages.flatMap(({ name }) => stageResult(name, journal.events, reports)),
    ],
  };
}

function gateRow(verdict: GateVerdict): GateRow {
  const { after, metric, condition, bar, sense, compared, number, held, measured, reference } = verdict;
  return {
    after_stage: after,
    metric,
    ...(condition !== undefined && { condition }),
    bar,
    sense,
    compared,
    low_or_high: number,
    held,
    ...(measured && { measured }),
    ...(reference !== undefined && { reference }),
  };
}

/** By stage, and under `probe` for all probing; steps that a resumed run repeated count once. */
function secondsSpent(events: readonly RunEvent[]): Results['seconds'] {
  const stages = new Map<string, number>();
  const add = (name: string, seconds: number) => stages.set(name, (stages.get(name) ?? 0) + seconds);
  for (const step of latestSteps(events)) add(step.stage, step.seconds);
  for (const event of events) {
    if (event.kind === 'stage-finished') add(event.stage, event.seconds);
    if (event.kind === 'probe-finished') add('probe', event.seconds);
  }
  const total = [...stages.values()].reduce((sum, seconds) => sum + seconds, 0);
  return { total, stages: Object.fromEntries(stages) };
}

const UNITS: Readonly<Record<string, string>> = { loss: 'nats/token', seconds: 's' };

function curves(events: readonly RunEvent[]): TrainingCurve[] {
  const byName = new Map<string, { stage: string; name: string; unit: string; points: [number, number][] }>();
  for (const { stage, step, metrics: values } of latestSteps(events)) {
    for (const [name, value] of Object.entries(values)) {
      if (value === null) continue;
      const key = `${stage} ${name}`;
      if (!byName.has(key)) byName.set(key, { stage, name, unit: lookUp(UNITS, name) ?? '', points: [] });
      byName.get(key)!.points.push([step, value]); // set above
    }
  }
  return [...byName.values()];
}

/** The model before, with the rows that some stage's gates look at later. */
function baseStage(before: ProbeReport, reports: ReadonlyMap<string, ProbeReport>): StageResult {
  const watched = new Set([...reports.values()].flatMap((report) => report.rows.map(rowKey)));
  const rows = before.rows.filter((row) => watched.has(rowKey(row)));
  return { stage: 'base', seconds: 0, tokens: 0, rows: stageRows(rows) };
}

function stageResult(
  name: string,
  events: readonly RunEvent[],
  reports: ReadonlyMap<string, ProbeReport>,
): StageResult[] {
  const finished = events.findLast((event) => event.kind === 'stage-finished' && event.stage === name);
  if (finished?.kind !== 'stage-finished') return [];
  const spent = [...latestSteps(events).filter((step) => step.stage === name), finished];
  return [
    {
      stage: name,
      seconds: spent.reduce((sum, { seconds }) => sum + seconds, 0),
      tokens: spent.reduce((sum, { tokens }) => sum + tokens.trained + tokens.sampled, 0),
      rows: stageRows(reports.get(name)?.rows ?? []),
    },
  ];
}

function stageRows(rows: readonly ProbeRow[]): StageResult['rows'] {
  return rows.flatMap((row) => {
    const measured = estimateRow(row);
    const { metric, condition } = row;
    return measured ? [{ metric, ...(condition !== undefined && { condition }), ...measured }] : [];
  });
}
