import { change, changeName } from '../stats/change.ts';
import { estimate, estimateName } from '../stats/estimate.ts';
import { holm } from '../stats/holm.ts';
import { rowKey } from './condition.ts';
import { counts, estimateOptions, estimateRow } from './estimate-row.ts';
import { directionOf, metricOf } from './metrics.ts';
import type { ProbeReport, ProbeRow, ProbeTranscript } from './probe-report.ts';
import type { LatentTable, ProbeRow as ResultRow, Results, Transcript } from './results.ts';

/** How two reports are compared, for captions. */
const statistics = { confidence: 0.95, interval: estimateName, resamples: 2000, test: changeName } as const;

/** Two probe reports side by side, or one alone, in the words of `results.json`. */
export function pairReports(
  before: ProbeReport,
  after?: ProbeReport,
): Pick<Results, 'probes' | 'statistics' | 'latent' | 'transcripts'> {
  return {
    probes: pairRows(before, after),
    statistics,
    ...(before.latent && { latent: pairLatent(before.latent, after?.latent) }),
    transcripts: pairTranscripts(before.transcripts, after?.transcripts ?? []),
  };
}

/** Rows by metric and condition, after beside before, with the change paired by problem. */
function pairRows(before: ProbeReport, after: ProbeReport | undefined): ResultRow[] {
  const later = new Map(after?.rows.map((row) => [rowKey(row), row]));
  return withHolm(before.rows.flatMap((row) => pairRow(row, later.get(rowKey(row)))));
}

/** No row where there was nothing to count before; no change where there was nothing to count after. */
function pairRow(row: ProbeRow, later: ProbeRow | undefined): ResultRow[] {
  const { metric, condition } = row;
  const { behaviour } = metricOf(metric);
  const direction = directionOf(metric, condition);
  const before = estimateRow(row);
  if (!before) return [];
  const after = later && estimateRow(later);
  const note = later ? notes(row, later) : row.note;
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

function notes(before: ProbeRow, after: ProbeRow): string {
  return [before.note && `before: ${before.note}`, after.note && `after: ${after.note}`].filter(Boolean).join('; ');
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
