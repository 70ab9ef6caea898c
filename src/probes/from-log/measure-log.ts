import { InputError } from '../../errors.ts';
import { sha256 } from '../../record/fingerprint.ts';
import type { EvalLogFile } from '../../record/inspect/eval-log-file.ts';
import type { ReadSample } from '../../record/inspect/read-sample.ts';
import type { Outcome, ProbeReport, ProbeTranscript } from '../../results/probe-report.ts';
import { LOG_METRICS, type LogMeasure } from './log-metrics.ts';
import { measureSample, type SampleMeasures } from './measure-sample.ts';

export type MeasuredLog = {
  readonly report: ProbeReport;
  /** Samples that could not be read, each with its name and what is wrong with it. */
  readonly damaged: readonly string[];
};

/** As many of each kind are kept to be read. */
const KEPT = 6;

/** What each measure is worth showing for. */
const SHOWN: Readonly<Record<LogMeasure, { readonly text: string; readonly good: boolean }>> = {
  looped: { text: 'runs into a loop', good: false },
  repeated: { text: 'says it again', good: false },
  flipped: { text: 'changes its answer', good: true },
  flippedToRight: { text: 'mends its answer', good: true },
  flippedToWrong: { text: 'drops a right answer', good: false },
};

const measures = Object.keys(LOG_METRICS) as LogMeasure[]; // the keys of a literal

/**
 * Measures conversations that already exist. Trials of one problem are counted together; a sample that is damaged is
 * left out and named.
 * @throws InputError where no sample can be read.
 */
export async function measureLog(log: EvalLogFile, doing: (share: number) => void): Promise<MeasuredLog> {
  const outcomes = new Map<LogMeasure, Outcome[]>(measures.map((measure) => [measure, []]));
  const transcripts: ProbeTranscript[] = [];
  const ids = new Set<string>();
  const damaged: string[] = [];
  for (const [index, entry] of log.samples.entries()) {
    doing(index / log.samples.length);
    const sample = await log.sample(entry).catch((error: Error) => void damaged.push(error.message));
    if (!sample) continue;
    ids.add(sample.id);
    const measured = measureSample(sample);
    for (const measure of measures) outcomes.get(measure)!.push({ problem: sample.id, ...measured[measure] });
    transcripts.push(...worthShowing(sample, measured, transcripts));
  }
  if (ids.size === 0) throw new InputError(`${log.path}: no sample can be read${damaged[0] ? ` (${damaged[0]})` : ''}`);
  return { report: await reportOf(log, [...ids], outcomes, transcripts, damaged), damaged };
}

async function reportOf(
  log: EvalLogFile,
  ids: readonly string[],
  outcomes: ReadonlyMap<LogMeasure, Outcome[]>,
  transcripts: ProbeTranscript[],
  damaged: readonly string[],
): Promise<ProbeReport> {
  const note =
    damaged.length === 0 ? {} : { note: `${damaged.length} of ${log.samples.length} samples are damaged and left out` };
  return {
    problems: [
      { family: log.header.eval.task, count: ids.length, sha256: await sha256(JSON.stringify([...ids].sort())) },
    ],
    rows: measures.map((measure) => ({ metric: LOG_METRICS[measure], outcomes: outcomes.get(measure)!, ...note })),
    transcripts,
  };
}

/** The first few of each kind; a conversation is shown once. */
function worthShowing(
  sample: ReadSample,
  measured: SampleMeasures,
  kept: readonly ProbeTranscript[],
): ProbeTranscript[] {
  const found = measures.toReversed().find((measure) => {
    const shown = kept.filter(({ outcome }) => outcome.text === SHOWN[measure].text).length;
    return measured[measure].numerator > 0 && shown < KEPT;
  });
  return found === undefined ? [] : [shown(sample, found)];
}

function shown({ id, epoch, turns }: ReadSample, measure: LogMeasure): ProbeTranscript {
  return {
    id: `${id}/${epoch}`,
    behaviour: measure === 'looped' || measure === 'repeated' ? 'loops' : 'defensiveness',
    problem: id,
    turns: turns.map(({ role, text, origin, tokens }) => ({
      role,
      text,
      origin,
      ...(tokens && { tokens: [...tokens] }),
    })),
    outcome: SHOWN[measure],
  };
}
