import type { ProbeReport, ProbeRow, ProbeTranscript } from '../probes/prober.ts';
import { rowKey } from '../record/condition.ts';
import { type GateVerdict, latestSteps, type RunEvent } from '../record/event.ts';
import { metrics } from '../record/metrics.ts';
import type {
  GateRow,
  LatentTable,
  ProbeRow as ResultRow,
  Results,
  StageResult,
  TrainingCurve,
  Transcript,
} from '../record/results.ts';
import { resultsSchemaName } from '../record/results.ts';
import type { RunFolder } from '../record/run-folder.ts';
import { change, changeName } from '../stats/change.ts';
import { estimate, estimateName } from '../stats/estimate.ts';
import { holm } from '../stats/holm.ts';
import { counts, estimateOptions, estimateRow } from './gate.ts';
import type { Recipe } from './load-recipe.ts';

/** All that was measured in a run. */
export type Measured = {
  readonly before: ProbeReport;
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
      model: recipe.resolved.model,
      model_sha256: card.model_sha256,
      parameters,
      problems: before.problems,
      started: card.started,
      machine: card.machine,
    },
    seconds: secondsSpent(journal.events),
    probes: pairRows(before, after),
    gates: verdicts.map(gateRow),
    statistics: { confidence: 0.95, interval: estimateName, resamples: 2000, test: changeName },
    curves: curves(journal.events),
    stages: [
      baseStage(before, reports),
      ...recipe.stages.flatMap(({ name }) => stageResult(name, journal.events, reports)),
    ],
    ...(before.latent && { latent: pairLatent(before.latent, after.latent) }),
    transcripts: pairTranscripts(before.transcripts, after.transcripts),
  };
}

/** Rows by metric and condition, after beside before, with the change paired by problem. */
export function pairRows(before: ProbeReport, after: ProbeReport | undefined): ResultRow[] {
  const later = new Map(after?.rows.map((row) => [rowKey(row), row]));
  return withHolm(before.rows.flatMap((row) => pairRow(row, later.get(rowKey(row)))));
}

/** No row where there was nothing to count before; no change where there was nothing to count after. */
function pairRow(row: ProbeRow, later: ProbeRow | undefined): ResultRow[] {
  const { metric, condition } = row;
  const { behaviour, direction } = metrics[metric];
  const before = estimateRow(row);
  if (!before) return [];
  const after = later && estimateRow(later);
  const note = [row.note && `before: ${row.note}`, later?.note && `after: ${later.note}`].filter(Boolean).join('; ');
  return [
    {
      behaviour,
      metric,
      ...(condition !== undefined && { condition }),
      direction,
      before,
      ...(later && after && { after, change: change(row.outcomes, later.outcomes, estimateOptions(metric)) }),
      ...(note && { note }),
    },
  ];
}

/** The headline family is every row without a condition that is meant to move. */
function withHolm(rows: readonly ResultRow[]): ResultRow[] {
  const family = rows.filter((row) => row.change && !row.condition && row.direction !== 'hold');
  const adjusted = holm(family.map((row) => row.change!.p)); // the family has changes
  return rows.map((row) => {
    const index = family.indexOf(row);
    return index < 0 ? row : { ...row, change: { ...row.change!, p_holm: adjusted[index]! } };
  });
}

function gateRow(verdict: GateVerdict): GateRow {
  const { after, metric, condition, bar, sense, compared, number, held, measured } = verdict;
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
  };
}

/** By stage, and under `probe` for all probing; steps that a resumed run repeated count once. */
function secondsSpent(events: readonly RunEvent[]): Results['seconds'] {
  const stages: Record<string, number> = {};
  const add = (name: string, seconds: number) => {
    stages[name] = (stages[name] ?? 0) + seconds;
  };
  for (const step of latestSteps(events)) add(step.stage, step.seconds);
  for (const event of events) {
    if (event.kind === 'stage-finished') add(event.stage, event.seconds);
    if (event.kind === 'probe-finished') add('probe', event.seconds);
  }
  return { total: Object.values(stages).reduce((sum, seconds) => sum + seconds, 0), stages };
}

const UNITS: Readonly<Record<string, string>> = { reward: 'reward', seconds: 's' };

function curves(events: readonly RunEvent[]): TrainingCurve[] {
  const byName = new Map<string, { stage: string; name: string; unit: string; points: [number, number][] }>();
  for (const { stage, step, metrics: values } of latestSteps(events)) {
    for (const [name, value] of Object.entries(values)) {
      if (value === null) continue;
      const key = `${stage} ${name}`;
      if (!byName.has(key)) byName.set(key, { stage, name, unit: UNITS[name] ?? '', points: [] });
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

type LatentReport = NonNullable<ProbeReport['latent']>;
const SHARE = { seed: 1, range: [0, 1] } as const;

function pairLatent(before: LatentReport, after: LatentReport | undefined): LatentTable {
  const later = new Map(after?.rows.map((row) => [`${row.kind} ${row.position}`, row]));
  const rows = before.rows.flatMap(({ kind, position, outcomes }) => {
    const other = later.get(`${kind} ${position}`)?.outcomes ?? [];
    if (!counts(outcomes)) return [];
    return [
      { kind, position, before: estimate(outcomes, SHARE), ...(counts(other) && { after: estimate(other, SHARE) }) },
    ];
  });
  return { rule: before.rule, rows };
}

function pairTranscripts(before: readonly ProbeTranscript[], after: readonly ProbeTranscript[]): Transcript[] {
  const key = ({ behaviour, condition, id }: ProbeTranscript) => `${behaviour} ${condition ?? ''} ${id}`;
  const later = new Map(after.map((transcript) => [key(transcript), transcript]));
  return before.map((transcript) => {
    const { id, behaviour, condition, problem } = transcript;
    const other = later.get(key(transcript));
    return {
      id,
      behaviour,
      ...(condition !== undefined && { condition }),
      problem,
      before: side(transcript),
      ...(other && { after: side(other) }),
    };
  });
}

function side({ turns, outcome }: ProbeTranscript): Transcript['before'] {
  return { turns, outcome };
}
