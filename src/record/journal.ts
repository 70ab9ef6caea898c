import { appendFileSync, closeSync, existsSync, fdatasync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { writing } from '../disk/write.ts';
import { RunError } from '../errors.ts';
import { eventSchema, type NewEvent, type RunEvent } from './event.ts';

const syncData = promisify(fdatasync);

/** The append-only `events.jsonl`. What a crash left of a last line is cut off when the journal is opened. */
export class Journal {
  readonly #path: string;
  readonly #file: number;
  readonly #events: RunEvent[];
  #size: number;
  #syncing: Promise<void> = Promise.resolve();

  private constructor(path: string, events: RunEvent[], size: number) {
    this.#path = path;
    this.#events = events;
    this.#size = size;
    this.#file = openSync(path, 'a');
    ftruncateSync(this.#file, size);
  }

  /** @throws RunError naming the line when the journal is damaged before its last line. */
  static async open(path: string): Promise<Journal> {
    const text = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    const { events, size } = readEvents(path, text);
    return writing(path, () => new Journal(path, events, size));
  }

  get events(): readonly RunEvent[] {
    return this.#events;
  }

  /** Adds one line; a full disk leaves the journal as it was. */
  async append(event: NewEvent): Promise<RunEvent> {
    const stamped = eventSchema.parse({ time: new Date().toISOString(), ...event });
    const line = Buffer.from(`${JSON.stringify(stamped)}\n`);
    await writing(this.#path, () => this.#write(line));
    this.#events.push(stamped);
    return stamped;
  }

  /** Asks the system to make what was appended outlive a power failure, without waiting for it. */
  sync(): void {
    this.#syncing = this.#syncing.then(() => syncData(this.#file));
    this.#syncing.catch(() => {}); // reported by close
  }

  async close(): Promise<void> {
    this.sync();
    try {
      await writing(this.#path, () => this.#syncing);
    } finally {
      closeSync(this.#file);
    }
  }

  #write(line: Buffer): void {
    try {
      appendFileSync(this.#file, line);
      this.#size += line.length;
    } catch (error) {
      ftruncateSync(this.#file, this.#size);
      throw error;
    }
  }
}

/** Reads a journal without opening it for writing, as the report does. */
export function readJournal(path: string): RunEvent[] {
  return readEvents(path, readFileSync(path)).events;
}

/** The events and the length in bytes of the part that is whole. */
function readEvents(path: string, content: Buffer): { events: RunEvent[]; size: number } {
  const events: RunEvent[] = [];
  let start = 0;
  while (start < content.length) {
    const end = content.indexOf(10, start);
    const event = end < 0 ? undefined : parseLine(content.toString('utf8', start, end));
    if (!event) {
      if (end >= 0 && end + 1 < content.length) throw damaged(path, events.length + 1);
      break;
    }
    events.push(event);
    start = end + 1;
  }
  return { events, size: start };
}

function parseLine(line: string): RunEvent | undefined {
  try {
    return eventSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function damaged(path: string, line: number): RunError {
  return new RunError(`${path}:${line}: not an event of a run; restore the file, or start again in another folder`);
}
