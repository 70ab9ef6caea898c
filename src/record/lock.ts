import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { writing } from '../disk/write.ts';
import { RunError } from '../errors.ts';

const holderSchema = z.object({ pid: z.int().positive(), host: z.string(), startedAt: z.string() });
type Holder = z.infer<typeof holderSchema>;

/** Keeps a second process out of a run folder. The lock of a process that has died is taken over. */
export class Lock {
  readonly #path: string;
  readonly #release = () => rmSync(this.#path, { force: true });

  private constructor(path: string) {
    this.#path = path;
    process.once('exit', this.#release);
  }

  /** @throws RunError naming the process that holds the lock. */
  static async take(path: string): Promise<Lock> {
    const mine = `${path}.${process.pid}`;
    await writing(path, () => writeFileSync(mine, JSON.stringify(self())));
    try {
      if (!linked(mine, path)) takeOver(path, mine);
    } finally {
      rmSync(mine, { force: true });
    }
    return new Lock(path);
  }

  /** Whether a process that lives holds the lock at `path`. */
  static isHeld(path: string): boolean {
    const holder = readHolder(path);
    return holder !== undefined && alive(holder);
  }

  release(): void {
    process.off('exit', this.#release);
    this.#release();
  }
}

/** A hard link appears with its content or not at all, and never over another: an atomic claim. */
function linked(mine: string, path: string): boolean {
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves the old lock aside before the claim, so that of two processes that find it stale only one goes on. */
function takeOver(path: string, mine: string): void {
  refuseIfAlive(path, readHolder(path));
  const aside = `${mine}.stale`;
  renameSync(path, aside);
  const moved = readHolder(aside);
  if (moved && alive(moved)) {
    renameSync(aside, path);
    refuseIfAlive(path, moved);
  }
  rmSync(aside, { force: true });
  if (!linked(mine, path)) refuseIfAlive(path, readHolder(path));
}

function refuseIfAlive(path: string, holder: Holder | undefined): void {
  if (!holder || !alive(holder)) return;
  const where = holder.host === hostname() ? '' : ` on ${holder.host}`;
  throw new RunError(
    `${path}: process ${holder.pid}${where} is writing this run; wait for it, or delete the lock if that process is gone`,
  );
}

/** Undefined for a lock that was torn by a crash: nobody alive wrote it. */
function readHolder(path: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

function self(): Holder {
  return { pid: process.pid, host: hostname(), startedAt: startOf(process.pid) ?? '' };
}

/** On another host nobody can tell, so the holder counts as alive. */
function alive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  const started = startOf(holder.pid);
  return started === undefined || started === holder.startedAt;
}

/** When a process began, in clock ticks since boot: tells a process from a later one that got the same id. Linux only. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
