import { closeSync, existsSync, fdatasync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { z } from 'zod';
import { writing } from '../../disk/write.ts';
import { EndpointError, RunError } from '../../errors.ts';
import { type Answer, answerSchema } from './answer.ts';
import type { Worst } from './budget.ts';

const syncData = promisify(fdatasync);

const header = z.strictObject({ schema: z.literal('unrut.replies/1'), endpoint: z.string(), model: z.string() });
const worst = z.object({ replies: z.number(), prompt: z.number(), completion: z.number() });

/** A request that is about to be sent; one that failed for free, or broke off and may have been charged; or a reply. */
const line = z.union([
  z.object({ key: z.string(), sent: worst }),
  z.object({ key: z.string(), failed: z.literal(true) }),
  z.object({ key: z.string(), lost: worst }),
  z.object({ key: z.string(), answer: answerSchema }),
]);

type Place = { readonly start: number; readonly end: number };

/** What an earlier process left: replies that were paid, and requests of which nobody knows how they ended. */
export type Past = { readonly answered: (each: (answer: Answer) => void) => void; readonly lost: readonly Worst[] };

/**
 * Every reply ever paid for, one line each, on the disk before anybody builds on it: whatever kills the process, a reply
 * that arrived is not asked for again. In memory is only where each lies. A request is written down before it is sent, so
 * that one in flight at the moment of a kill is known to be lost, and counted.
 */
export class ReplyJournal {
  readonly past: Past;
  readonly #path: string;
  readonly #file: number;
  readonly #places: Map<string, Place>;
  #size: number;
  /** Lines on their way: those of one turn of the event loop are written together. */
  #lines: Buffer[] = [];
  #ahead = 0;
  #writing: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  private constructor(path: string, file: number, scan: Scan) {
    this.#path = path;
    this.#file = file;
    this.#places = scan.places;
    this.#size = scan.size;
    const places = [...scan.places.values()];
    this.past = {
      answered: (each) => {
        for (const place of places) each(this.#read(place));
      },
      lost: [...scan.lost, ...scan.open.values()],
    };
    ftruncateSync(file, scan.size);
  }

  /** @throws RunError where it is damaged before its last line, or holds the replies of another model. */
  static async open(path: string, endpoint: string, model: string): Promise<ReplyJournal> {
    const mine: z.infer<typeof header> = { schema: 'unrut.replies/1', endpoint, model };
    const isNew = !existsSync(path);
    const file = await writing(path, () => openSync(path, isNew ? 'ax+' : 'a+'));
    const scan = scanFile(path, file, mine);
    const journal = new ReplyJournal(path, file, scan);
    if (scan.size === 0) await journal.#append(mine);
    return journal;
  }

  get(key: string): Answer | undefined {
    const place = this.#places.get(key);
    return place && this.#read(place);
  }

  sent(key: string, worst: Worst): Promise<Place> {
    return this.#append({ key, sent: worst });
  }

  failed(key: string): Promise<Place> {
    return this.#append({ key, failed: true });
  }

  lost(key: string, worst: Worst): Promise<Place> {
    return this.#append({ key, lost: worst });
  }

  /** Resolves when the reply would outlive a power failure. */
  async answered(key: string, answer: Answer): Promise<void> {
    const place = await this.#append({ key, answer });
    await writing(this.#path, () => this.#sync());
    this.#places.set(key, place);
  }

  async close(): Promise<void> {
    try {
      await this.#writing;
      await writing(this.#path, () => this.#sync());
    } finally {
      closeSync(this.#file);
    }
  }

  /** Resolves when the line is written, and would outlive this process. */
  async #append(content: unknown): Promise<Place> {
    const bytes = Buffer.from(`${JSON.stringify(content)}\n`);
    const start = this.#size + this.#ahead;
    this.#lines.push(bytes);
    this.#ahead += bytes.length;
    this.#writing ??= endOfTurn().then(() => writing(this.#path, () => this.#write()));
    await this.#writing;
    return { start, end: start + bytes.length };
  }

  #write(): void {
    const bytes = Buffer.concat(this.#lines);
    [this.#lines, this.#ahead, this.#writing] = [[], 0, undefined];
    try {
      writeAll(this.#file, bytes);
    } catch (error) {
      ftruncateSync(this.#file, this.#size);
      throw error;
    }
    this.#size += bytes.length;
  }

  /** Everything written so far is on the disk. Replies that come while the disk is busy share the next sync. */
  #sync(): Promise<void> {
    this.#next ??= (this.#syncing ?? Promise.resolve()).then(() => {
      this.#next = undefined;
      this.#syncing = syncData(this.#file);
      return this.#syncing;
    });
    return this.#next;
  }

  #read({ start, end }: Place): Answer {
    const bytes = Buffer.alloc(end - start);
    readSync(this.#file, bytes, 0, bytes.length, start);
    const parsed = line.parse(JSON.parse(bytes.toString('utf8')));
    if ('answer' in parsed) return parsed.answer;
    throw new EndpointError(`${this.#path}: changed while it was in use; start again in another folder`);
  }
}

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function writeAll(file: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}

type Scan = {
  readonly places: Map<string, Place>;
  /** Sent, and nothing heard since. */
  readonly open: Map<string, Worst>;
  readonly lost: Worst[];
  size: number;
};

const CHUNK = 1 << 20;

/** Reads line by line, so that a long run resumes in little memory; what a crash left of a last line is not counted. */
function scanFile(path: string, file: number, mine: z.infer<typeof header>): Scan {
  const scan: Scan = { places: new Map(), open: new Map(), lost: [], size: 0 };
  let rest = Buffer.alloc(0);
  let number = 0;
  let torn = false;
  for (let at = 0; ; ) {
    const chunk = Buffer.alloc(CHUNK);
    const read = readSync(file, chunk, 0, CHUNK, at);
    at += read;
    rest = Buffer.concat([rest, chunk.subarray(0, read)]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      number++;
      if (torn) throw damaged(path, number - 1);
      torn = !scanLine(path, scan, rest.toString('utf8', 0, end), number === 1, mine);
      if (!torn) scan.size += end + 1;
      rest = rest.subarray(end + 1);
    }
    if (read === 0) return scan;
  }
}

/** False for a line that is none. */
function scanLine(path: string, scan: Scan, text: string, first: boolean, mine: z.infer<typeof header>): boolean {
  const json = parseJson(text);
  if (first) return isSameModel(path, json, mine);
  const parsed = line.safeParse(json);
  if (!parsed.success) return false;
  const { key } = parsed.data;
  if ('sent' in parsed.data) scan.open.set(key, parsed.data.sent);
  else scan.open.delete(key);
  if ('lost' in parsed.data) scan.lost.push(parsed.data.lost);
  if ('answer' in parsed.data) {
    scan.places.set(key, { start: scan.size, end: scan.size + Buffer.byteLength(text) });
  }
  return true;
}

function isSameModel(path: string, json: unknown, mine: z.infer<typeof header>): boolean {
  const parsed = header.safeParse(json);
  if (!parsed.success) return false;
  const { endpoint, model } = parsed.data;
  if (endpoint === mine.endpoint && model === mine.model) return true;
  throw new RunError(`${path}: holds replies of ${endpoint}#${model}, not of ${mine.endpoint}#${mine.model}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const damaged = (path: string, number: number): RunError =>
  new RunError(`${path}:${number}: not a reply; restore the file, or start again in another folder`);
