import { open } from 'node:fs/promises';
import { z } from 'zod';
import { RunError } from '../../errors.ts';
import {
  type EvalHeader,
  type EvalSummary,
  HEADER,
  headerSchema,
  SAMPLES,
  START,
  SUMMARIES,
  summarySchema,
} from './eval-log.ts';
import { type LogEntries, textEntries } from './log-entries.ts';
import { type ReadSample, readSample } from './read-sample.ts';
import { reason } from './reason.ts';
import { ZipEntries } from './zip-entries.ts';

/** A part of a log that cannot be read, and why. */
export type Fault = { readonly entry: string; readonly why: string };

/**
 * An Inspect log of any program: `.eval` (a zip) or `.json`. Samples are read one by one; what is damaged is told and
 * the rest is read.
 */
export class EvalLogFile {
  readonly path: string;
  readonly header: EvalHeader;
  /** Set where the header itself is damaged: then task and model are unknown. */
  readonly headerFault: Fault | undefined;
  /** Names of the samples' entries, in the order of the file. */
  readonly samples: readonly string[];
  readonly #entries: LogEntries;

  private constructor(path: string, entries: LogEntries, header: EvalHeader, headerFault: Fault | undefined) {
    this.path = path;
    this.header = header;
    this.headerFault = headerFault;
    this.samples = entries.names.filter((name) => name.startsWith(SAMPLES) && name.endsWith('.json'));
    this.#entries = entries;
  }

  /** @throws RunError where the file holds no log. */
  static async open(path: string): Promise<EvalLogFile> {
    const entries = (await isZip(path)) ? await ZipEntries.open(path) : await textEntries(path);
    const name = entries.names.includes(HEADER) ? HEADER : START;
    try {
      return new EvalLogFile(path, entries, headerSchema.parse(JSON.parse(await entries.text(name))), undefined);
    } catch (error) {
      const log = new EvalLogFile(path, entries, headerSchema.parse({ eval: {} }), { entry: name, why: reason(error) });
      if (log.samples.length > 0) return log;
      await log.close();
      throw new RunError(`${path}: holds neither a header nor samples; give an Inspect log, .eval or .json`);
    }
  }

  /** @throws RunError naming the entry where it is damaged. */
  async sample(entry: string): Promise<ReadSample> {
    try {
      return readSample(JSON.parse(await this.#entries.text(entry)));
    } catch (error) {
      throw new RunError(`${this.path}: ${entry}: ${reason(error)}`);
    }
  }

  /**
   * Whether a sample may hold a text of plain ASCII, whatever its case: ten times faster than to read the sample, and
   * never wrong where it says no. Others may be written in more than one way, so they may always be there.
   */
  async mayHold(entry: string, text: string): Promise<boolean> {
    if (!/^[ !#-[\]-~]*$/.test(text)) return true;
    return (await this.#entries.text(entry).catch(() => text)).toLowerCase().includes(text.toLowerCase());
  }

  /** As the log's writer summed its samples up; empty where it did not, or where that part is damaged. */
  async summaries(): Promise<EvalSummary[]> {
    const found = await this.#entries
      .text(SUMMARIES)
      .then(JSON.parse)
      .catch(() => []);
    return z
      .array(summarySchema.nullable().catch(null))
      .catch([])
      .parse(found)
      .filter((summary) => summary !== null);
  }

  close(): Promise<void> {
    return this.#entries.close();
  }
}

async function isZip(path: string): Promise<boolean> {
  try {
    const file = await open(path);
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0).finally(() => file.close());
    return buffer.toString('latin1') === 'PK';
  } catch (error) {
    throw new RunError(`${path}: cannot be read (${(error as Error).message}); give an Inspect log, .eval or .json`);
  }
}
