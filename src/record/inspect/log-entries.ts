import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { RunError } from '../../errors.ts';
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

/** A log as one `.json` file, the older form: as if it were a zip. All of it is in memory. */
export async function jsonEntries(path: string): Promise<LogEntries> {
  const { samples, ...header } = await parsed(path);
  const entries = new Map<string, unknown>([[HEADER, header]]);
  for (const [index, sample] of (samples ?? []).entries()) {
    const { data } = key.safeParse(sample);
    entries.set(data ? sampleEntry(data.id, data.epoch) : sampleEntry(`number ${index + 1}`, 1), sample);
  }
  return { names: [...entries.keys()], text: async (name) => JSON.stringify(entries.get(name)), close: async () => {} };
}

async function parsed(path: string): Promise<z.infer<typeof jsonLog>> {
  try {
    return jsonLog.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw new RunError(`${path}: not a JSON log (${reason(error)}); give an Inspect log, .eval or .json`);
  }
}
