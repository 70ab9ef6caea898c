import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EvalLogFile } from '../record/inspect/eval-log-file.ts';
import { reason } from '../record/inspect/reason.ts';
import { type Results, readResults } from '../results/results.ts';
import { isOpenRun, type ListedOpenRun, listOpenRun } from './open-run.ts';

/** What the list says of a run. `path` is relative to the folder that is shown. */
export type ListedRun = {
  readonly path: string;
  /** Names of the Inspect logs in its folder. */
  readonly logs: readonly string[];
  readonly results: Pick<Results, 'run' | 'seconds' | 'gates'> | undefined;
  /** Where it has no results yet. */
  readonly open?: ListedOpenRun;
  readonly error: string | undefined;
};

/** A log that lies in no run's folder. */
export type ListedLog = {
  readonly path: string;
  readonly about: { readonly task: string; readonly model: string; readonly samples: number } | undefined;
  readonly error: string | undefined;
};

export type Listing = { readonly runs: readonly ListedRun[]; readonly logs: readonly ListedLog[] };

const DEEPEST = 6;
const PASSED_OVER = new Set(['node_modules', 'checkpoints', 'model', 'probes']);

/** Finds what there is to show. What was read is kept until the file changes. */
export class Runs {
  readonly root: string;
  readonly #read = new Map<string, { readonly changed: number; readonly value: unknown }>();

  constructor(root: string) {
    this.root = root;
  }

  async list(): Promise<Listing> {
    const folders = await this.#folders('', 0);
    const withRun = folders.filter(({ names }) => names.includes('results.json') || isOpenRun(names));
    const without = folders.filter((folder) => !withRun.includes(folder));
    const runs = await Promise.all(withRun.map(({ path, names }) => this.#run(path, names)));
    const logs = await Promise.all(
      without.flatMap(({ path, names }) => names.filter(isLog).map((name) => this.#log(join(path, name)))),
    );
    return { runs: runs.sort(latestFirst), logs };
  }

  async #folders(path: string, depth: number): Promise<{ path: string; names: string[] }[]> {
    const entries = await readdir(join(this.root, path), { withFileTypes: true }).catch(() => []);
    const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    const below = entries.filter((entry) => entry.isDirectory() && depth < DEEPEST && isOpen(entry.name));
    const nested = await Promise.all(below.map(({ name }) => this.#folders(join(path, name), depth + 1)));
    return [{ path, names }, ...nested.flat()];
  }

  async #run(path: string, names: readonly string[]): Promise<ListedRun> {
    const logs = names.filter(isLog);
    try {
      if (!names.includes('results.json')) {
        return { path, logs, results: undefined, open: await listOpenRun(join(this.root, path)), error: undefined };
      }
      const results = await this.#once(join(path, 'results.json'), listed);
      return { path, logs, results, error: undefined };
    } catch (error) {
      return { path, logs, results: undefined, error: reason(error).replaceAll(`${this.root}/`, '') };
    }
  }

  async #log(path: string): Promise<ListedLog> {
    try {
      return { path, about: await this.#once(path, aboutLog), error: undefined };
    } catch (error) {
      return { path, about: undefined, error: reason(error).replaceAll(`${this.root}/`, '') };
    }
  }

  async #once<T>(path: string, read: (file: string) => Promise<T>): Promise<T> {
    const file = join(this.root, path);
    const { mtimeMs: changed } = await stat(file);
    const known = this.#read.get(file);
    if (known?.changed === changed) return known.value as T; // one reader per file name
    const value = await read(file);
    this.#read.set(file, { changed, value });
    return value;
  }
}

async function listed(file: string): Promise<NonNullable<ListedRun['results']>> {
  const { run, seconds, gates } = await readResults(file);
  return { run, seconds, gates };
}

async function aboutLog(file: string): Promise<NonNullable<ListedLog['about']>> {
  const log = await EvalLogFile.open(file);
  await log.close();
  const { task, model } = log.header.eval;
  return { task, model, samples: log.samples.length };
}

function isLog(name: string): boolean {
  return name.endsWith('.eval');
}

function isOpen(name: string): boolean {
  return !name.startsWith('.') && !PASSED_OVER.has(name);
}

/** A run that goes on stands above all others. */
function begun({ results, open }: ListedRun): string {
  if (open?.state === 'running') return '9';
  return results?.run.started ?? open?.started ?? '';
}

function latestFirst(a: ListedRun, b: ListedRun): number {
  return begun(b).localeCompare(begun(a)) || a.path.localeCompare(b.path);
}
