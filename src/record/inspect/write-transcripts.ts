import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Results, Transcript } from '../../results/results.ts';
import { EvalLogWriter } from './eval-log-writer.ts';
import { measuredScores } from './transcript-sample.ts';

/** What the model last measured said. */
export const TRANSCRIPTS = 'transcripts.eval';
/** Of a run that trained: what the model said before. */
export const TRANSCRIPTS_BEFORE = 'transcripts-before.eval';

type Side = 'before' | 'after';

/**
 * Writes a run's transcripts as Inspect logs beside its `results.json`; a log has one model, so a run that trained has
 * two. One that is there is left alone: a run's transcripts do not change.
 */
export async function writeTranscripts(folder: string, results: Results): Promise<void> {
  const { transcripts = [] } = results;
  const paired = transcripts.some(({ after }) => after);
  await writeSide(join(folder, paired ? TRANSCRIPTS_BEFORE : TRANSCRIPTS), results, 'before');
  if (paired) await writeSide(join(folder, TRANSCRIPTS), results, 'after');
}

async function writeSide(path: string, results: Results, side: Side): Promise<void> {
  const transcripts = (results.transcripts ?? []).filter((transcript) => transcript[side]);
  if (transcripts.length === 0 || existsSync(path)) return;
  const started = results.run.started ?? new Date().toISOString();
  const writer = await EvalLogWriter.create(path, { ...origin(results, side), started });
  for (const transcript of transcripts) await writer.add(logged(transcript, side));
  await finishLog(writer, { ...results, run: { ...results.run, started } }, side);
}

/** Ends a log with all that was measured on that side. */
export async function finishLog(writer: EvalLogWriter, { run, seconds, probes }: Results, side: Side): Promise<void> {
  const completed = new Date(Date.parse(run.started ?? '') + seconds.total * 1000).toISOString();
  await writer.finish(measuredScores(probes, side), completed);
}

function logged({ id, behaviour, condition, problem, ...sides }: Transcript, side: Side) {
  const said = sides[side]!; // filtered by the caller
  return { id, behaviour, ...(condition !== undefined && { condition }), problem, ...said };
}

function origin({ run }: Results, side: Side) {
  const { name, model = 'unknown model', seed, recipe_sha256, model_sha256, versions } = run;
  return {
    task: `unrut/${name}`,
    model: side === 'before' ? model : `${model} after ${name}`,
    versions,
    metadata: { seed, recipe_sha256, ...(model_sha256 && { model_sha256 }) },
  };
}
