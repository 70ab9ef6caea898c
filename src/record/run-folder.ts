import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkFolder } from '../disk/check-writable.ts';
import { writeWhole, writing } from '../disk/write.ts';
import { RunError } from '../errors.ts';
import { type ProbeReport, probeReportSchema } from '../results/probe-report.ts';
import { Checkpoints } from './checkpoints.ts';
import type { RunEvent } from './event.ts';
import { Journal, readJournal } from './journal.ts';
import { Lock } from './lock.ts';
import { type RunCard, readRunCard, refuseOtherRun, writeRunCard } from './run-card.ts';

export const CARD = 'run.yaml';
const LOCK = 'lock';

/** The probe at the end of a run: what two runs are compared by. */
export const AFTER_PROBE = 'after';

/**
 * One run on disk:
 * ```
 * run.yaml        what is run, resolved, with versions, seeds and hashes
 * events.jsonl    what happened, append-only
 * checkpoints/    where it stands
 * probes/         what was measured: before.json, after-verify.json, after.json
 * model/          the trained model, an ordinary Hugging Face folder
 * results.json, report.html
 * ```
 * It is held under a lock while it is open.
 */
export class RunFolder {
  readonly path: string;
  /** As written when the run began. */
  readonly card: RunCard;
  readonly journal: Journal;
  readonly checkpoints: Checkpoints;
  readonly #lock: Lock;

  private constructor(path: string, card: RunCard, lock: Lock, journal: Journal, checkpoints: Checkpoints) {
    this.path = path;
    this.card = card;
    this.#lock = lock;
    this.journal = journal;
    this.checkpoints = checkpoints;
  }

  /** @throws RunError when the folder holds anything. */
  static async create(path: string, card: RunCard): Promise<RunFolder> {
    await refuseUsed(path);
    return RunFolder.#open(path, card);
  }

  /**
   * Opens the folder of a run that did not finish; one that was killed before it wrote its card is begun anew, so that
   * a run can be killed at any moment.
   * @throws RunError when the folder holds something else, or another run than `card` describes.
   */
  static async resume(path: string, card: RunCard): Promise<RunFolder> {
    const names = await contents(path);
    if (!names.includes(CARD) && !names.every((name) => name.startsWith(LOCK) || name.startsWith(CARD))) {
      throw new RunError(`${path}: not the folder of a run (no ${CARD}); choose another with --out`);
    }
    return RunFolder.#open(path, card);
  }

  static async #open(path: string, card: RunCard): Promise<RunFolder> {
    await writing(path, () => mkdir(path, { recursive: true }));
    const lock = await Lock.take(join(path, LOCK));
    try {
      const begun = await openCard(join(path, CARD), card);
      await writing(path, () => mkdir(join(path, 'probes'), { recursive: true }));
      const checkpoints = await Checkpoints.open(join(path, 'checkpoints'));
      return new RunFolder(path, begun, lock, await Journal.open(join(path, 'events.jsonl')), checkpoints);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  async writeProbe(name: string, report: ProbeReport): Promise<void> {
    await writeWhole(probePath(this.path, name), JSON.stringify(report));
  }

  /** Undefined when it has not been measured yet. */
  async readProbe(name: string): Promise<ProbeReport | undefined> {
    return existsSync(probePath(this.path, name)) ? readProbe(this.path, name) : undefined;
  }

  async close(): Promise<void> {
    try {
      await this.journal.close();
    } finally {
      this.#lock.release();
    }
  }
}

/** @throws RunError when the folder is there and holds anything. */
export async function refuseUsed(path: string): Promise<void> {
  if ((await contents(path)).length === 0) return;
  throw new RunError(`${path}: already holds something; add --resume to go on with it, or choose another with --out`);
}

/** Where a run stands that has no results yet. */
export type RunState = 'running' | 'interrupted' | 'stopped';

/** What a run without results says of itself; it is read while another process may write. */
export type OpenRun = { readonly card: RunCard; readonly events: readonly RunEvent[]; readonly state: RunState };

/** @throws RunError where its card or journal is damaged. */
export async function readOpenRun(path: string): Promise<OpenRun> {
  const card = await readRunCard(join(path, CARD));
  const journal = join(path, 'events.jsonl');
  const events = existsSync(journal) ? readJournal(journal) : [];
  const ended = events.at(-1)?.kind === 'run-interrupted' ? 'interrupted' : 'stopped';
  return { card, events, state: Lock.isHeld(join(path, LOCK)) ? 'running' : ended };
}

/** Tries a folder that is written only when the work is done. @throws RunError where it is in use or cannot be written. */
export async function checkUnused(path: string): Promise<void> {
  await refuseUsed(path);
  await checkFolder(path);
}

/** What was measured in a run, with every problem's outcome. */
export async function readProbe(run: string, name: string): Promise<ProbeReport> {
  const path = probePath(run, name);
  const text = await readFile(path, 'utf8').catch(() => {
    throw new RunError(`${path}: cannot be read; give the folder of a finished run`);
  });
  try {
    return probeReportSchema.parse(JSON.parse(text));
  } catch {
    throw new RunError(`${path}: damaged; restore it or start again in another folder`);
  }
}

function probePath(run: string, name: string): string {
  return join(run, 'probes', `${name}.json`);
}

async function contents(path: string): Promise<string[]> {
  return readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new RunError(`${path}: cannot be used as a run folder (${error.code}); choose another with --out`);
  });
}

/** The card of the run in the folder, written now if the run is new. */
async function openCard(path: string, card: RunCard): Promise<RunCard> {
  if (!existsSync(path)) {
    await writeRunCard(path, card);
    return card;
  }
  const begun = await readRunCard(path);
  refuseOtherRun(path, begun, card);
  return begun;
}
