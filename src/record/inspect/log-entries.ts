import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { RunError } from '../../errors.ts';
import { chatEntries } from './chat-log.ts';
import { HEADER, sampleEntry } from './eval-log.ts';
import { reason } from './reason.ts';

/** The parts of a log, by name. */
export interface LogEntries {
  readonly names: readonly string[];
  /** JSON. @throws Error where the entry is missing or damaged. */
  text(name: string): Promise<string>;
  close(): Promise<void>;
}

const jsonLog = z.looseObject({ samples: z.array(z.unknown()).nullish() });
const key = z.looseObject({ id: z.union([z.string(), z.number()]), epoch: z.number().catch(1) });

/**
 * A log as one file of text, as if it were a zip: `.json` of Inspect's older form, or conversations as JSON lines or one
 * array. All of it is in memory.
 */
export async function textEntries(path: string): Promise<LogEntries> {
  const text = await whole(path);
  const rows = path.endsWith('.jsonl') ? text.split(/\r?\n/).filter((line) => line.trim() !== '') : undefined;
  const parsed = rows ?? parse(path, text);
  if (Array.isArray(parsed) && parsed.length === 0) throw notALog(path, 'it is empty');
  if (rows) return chatEntries(basename(path), rows);
  if (Array.isArray(parsed))
    return chatEntries(
      basename(path),
      parsed.map((row) => JSON.stringify(row)),
    );
  const log = jsonLog.safeParse(parsed);
  if (log.success) return jsonEntries(log.data);
  throw notALog(path, reason(log.error));
}

function jsonEntries({ samples, ...header }: z.infer<typeof jsonLog>): LogEntries {
  const entries = new Map<string, unknown>([[HEADER, header]]);
  for (const [index, sample] of (samples ?? []).entries()) {
    const { data } = key.safeParse(sample);
    entries.set(data ? sampleEntry(data.id, data.epoch) : sampleEntry(`number ${index + 1}`, 1), sample);
  }
  return { names: [...entries.keys()], text: async (name) => JSON.stringify(entries.get(name)), close: async () => {} };
}

async function whole(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch((error: Error) => Promise.reject(notALog(path, error.message)))).replace(
    /^\ufeff/,
    '',
  );
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw notALog(path, reason(error));
  }
}

const notALog = (path: string, why: string): RunError =>
  new RunError(`${path}: not a JSON log (${why}); give an Inspect log (.eval or .json), or conversations as .jsonl`);
