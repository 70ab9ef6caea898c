import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWholeFolder } from '../../disk/whole-folder.ts';
import { writeWhole } from '../../disk/write.ts';
import { WireError } from '../../errors.ts';
import { parseTinkerPath, type TinkerPath, tinkerPath } from '../wire/path.ts';
import { loraConfig } from '../wire/requests.ts';
import { quoted, Refusal } from './refusal.ts';

/** @file What outlives the server: `RUN/run.json`, and `RUN/weights/NAME` or `RUN/sampler_weights/NAME` by checkpoint. */

const metadata = z.record(z.string(), z.unknown()).nullish();

const runSchema = z.object({
  id: z.string(),
  baseModel: z.string(),
  lora: loraConfig,
  userMetadata: metadata,
  lastRequest: z.string(),
});

const checkpointSchema = z.object({
  time: z.string(),
  sizeBytes: z.number(),
  expiresAt: z.string().nullable(),
  userMetadata: metadata,
});

/** A model that was trained, or is. */
export type Run = z.output<typeof runSchema>;
export type Checkpoint = z.output<typeof checkpointSchema> & { readonly place: TinkerPath };

export type SaveOptions = {
  readonly ttlSeconds: number | undefined;
  readonly userMetadata: Record<string, unknown> | undefined;
};

const KINDS = ['weights', 'sampler_weights'] as const;
const RUN = 'run.json';
const CHECKPOINT = 'checkpoint.json';
/** The files of the weights, within a checkpoint's folder. */
const STATE = 'state';

/** What can be a folder's name anywhere, and is no hidden or half-written one. */
const NAME = /^(?!.*\.writing$)[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** @throws Refusal 400 on what is no name of a checkpoint. */
export function checkName(name: string): string {
  if (NAME.test(name)) return name;
  throw new Refusal(`${quoted(name)} is no name of a checkpoint; use letters, digits, ".", "_" and "-", at most 128`);
}

/** Ids hold colons, which are no part of a file's name everywhere. */
const folderOf = (runId: string): string => encodeURIComponent(runId);

export class CheckpointStore {
  readonly #folder: string;
  readonly #runs = new Map<string, Run>();
  readonly #checkpoints = new Map<string, Checkpoint>();
  /** The last work on each checkpoint's folder: nobody reads one that is just being replaced. */
  readonly #work = new Map<string, Promise<unknown>>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads what is there; a checkpoint that is damaged is passed over and named. */
  static async open(folder: string, say: (line: string) => void): Promise<CheckpointStore> {
    const store = new CheckpointStore(folder);
    for (const name of await namesIn(folder)) await store.#readRun(name, say);
    return store;
  }

  get runs(): readonly Run[] {
    return [...this.#runs.values()];
  }

  run(id: string): Run | undefined {
    return this.#runs.get(id);
  }

  /** Of a run, or of all; newest first. Those whose time is over are gone. */
  list(runId?: string): Checkpoint[] {
    const now = new Date().toISOString();
    const all = [...this.#checkpoints.values()].filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
    const wanted = runId === undefined ? all : all.filter(({ place }) => place.modelId === runId);
    return wanted.sort((a, b) => b.time.localeCompare(a.time));
  }

  /** @throws Refusal 404 where there is none at this path, or no longer. */
  find(path: string): Checkpoint {
    const checkpoint = this.list().find(({ place }) => tinkerPath(place) === path);
    if (checkpoint !== undefined) return checkpoint;
    throw new Refusal(`there is no checkpoint ${quoted(path)}`, 404);
  }

  has(place: TinkerPath): boolean {
    return this.list(place.modelId).some((one) => tinkerPath(one.place) === tinkerPath(place));
  }

  /** Works with the folder of a checkpoint's files, which stays as it is meanwhile. @throws Refusal 404. */
  read<Result>(path: string, work: (folder: string) => Promise<Result>): Promise<Result> {
    return this.#alone(path, () => work(join(this.#folderOf(this.find(path).place), STATE)));
  }

  /** Writes a checkpoint, whole or not at all. @param fill writes the folder that it is given. */
  async write(
    run: Run,
    place: TinkerPath,
    fill: (folder: string) => Promise<void>,
    { ttlSeconds, userMetadata }: SaveOptions,
  ): Promise<void> {
    await mkdir(join(this.#folder, folderOf(run.id), place.kind), { recursive: true });
    await writeWhole(join(this.#folder, folderOf(run.id), RUN), json(run));
    const now = Date.now();
    const expiresAt = ttlSeconds === undefined ? null : new Date(now + 1000 * ttlSeconds).toISOString();
    let about = { time: new Date(now).toISOString(), sizeBytes: 0, expiresAt, userMetadata };
    await this.#alone(tinkerPath(place), async () => {
      await writeWholeFolder(this.#folderOf(place), async (beside) => {
        await fill(join(beside, STATE));
        about = { ...about, sizeBytes: await sizeOf(join(beside, STATE)) };
        await writeWhole(join(beside, CHECKPOINT), json(about));
      });
      this.#runs.set(run.id, run);
      this.#checkpoints.set(tinkerPath(place), { ...about, place });
    });
    await this.#sweep();
  }

  /** @throws Refusal 404. */
  delete(path: string): Promise<void> {
    return this.#alone(path, async () => this.#remove(this.find(path)));
  }

  /** @param ttlSeconds from now on; undefined: for good. @throws Refusal 404. */
  setTtl(path: string, ttlSeconds: number | undefined): Promise<void> {
    return this.#alone(path, async () => {
      const { place, ...about } = this.find(path);
      const expiresAt = ttlSeconds === undefined ? null : new Date(Date.now() + 1000 * ttlSeconds).toISOString();
      await writeWhole(join(this.#folderOf(place), CHECKPOINT), json({ ...about, expiresAt }));
      this.#checkpoints.set(path, { ...about, expiresAt, place });
    });
  }

  #alone<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#work.get(path) ?? Promise.resolve();
    const result = before.then(work);
    const after = result.catch(() => undefined);
    this.#work.set(path, after);
    void after.then(() => this.#work.get(path) === after && this.#work.delete(path));
    return result;
  }

  async #remove({ place }: Checkpoint): Promise<void> {
    this.#checkpoints.delete(tinkerPath(place));
    await rm(this.#folderOf(place), { recursive: true, force: true });
  }

  #folderOf({ modelId, kind, name }: TinkerPath): string {
    return join(this.#folder, folderOf(modelId), kind, checkName(name));
  }

  async #sweep(): Promise<void> {
    const alive = new Set(this.list().map(({ place }) => tinkerPath(place)));
    const over = [...this.#checkpoints].filter(([path]) => !alive.has(path));
    for (const [path, checkpoint] of over) {
      await this.#alone(path, async () => {
        if (this.#checkpoints.get(path) === checkpoint) await this.#remove(checkpoint);
      });
    }
  }

  async #readRun(name: string, say: (line: string) => void): Promise<void> {
    const run = await readAs(runSchema, join(this.#folder, name, RUN));
    if (run === undefined || folderOf(run.id) !== name) return say(`${join(this.#folder, name)}: no run; passed over`);
    this.#runs.set(run.id, run);
    for (const kind of KINDS) {
      for (const own of (await namesIn(join(this.#folder, name, kind))).filter((one) => NAME.test(one))) {
        const place = { modelId: run.id, kind, name: own };
        const about = await readAs(checkpointSchema, join(this.#folderOf(place), CHECKPOINT));
        if (about === undefined) say(`${this.#folderOf(place)}: no checkpoint; passed over`);
        else this.#checkpoints.set(tinkerPath(place), { ...about, place });
      }
    }
  }
}

/** @throws Refusal 400 on what is no path. */
export function readPath(path: string, kind?: TinkerPath['kind']): TinkerPath {
  try {
    return parseTinkerPath(path, kind);
  } catch (error) {
    if (error instanceof WireError) throw new Refusal(error.message);
    throw error;
  }
}

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function readAs<Schema extends z.ZodType>(schema: Schema, path: string): Promise<z.output<Schema> | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined; // whatever is wrong with it, the caller says which file
  }
}

async function sizeOf(folder: string): Promise<number> {
  const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** The run that a checkpoint belongs to. @throws Refusal 404. */
export function runOf(store: CheckpointStore, path: string): Run {
  const { modelId } = readPath(path);
  store.find(path);
  const run = store.run(modelId);
  if (run === undefined) throw new Refusal(`there is no training run ${quoted(modelId)}`, 404);
  return run;
}
