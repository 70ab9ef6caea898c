import { existsSync, mkdirSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { syncFolder, writeWhole, writing } from '../disk/write.ts';
import { RunError } from '../errors.ts';
import { filesUnder, fingerprintFiles, sha256 } from './fingerprint.ts';

const stateSchema = z.strictObject({
  format: z.literal(1),
  /** Grows with every checkpoint of a run: the latest one counts. */
  serial: z.int().positive(),
  /** Recipe entries that are finished. */
  stagesDone: z.int().nonnegative(),
  /** Optimiser steps done in the entry after those. */
  stepsDone: z.int().nonnegative(),
  /** Remembered values of that entry: name -> file under `memory/`. */
  memory: z.record(z.string(), z.string()),
  /** SHA-256 of every file of the policy: what a power failure tore is noticed and not trained on. */
  files: z.record(z.string(), z.string()),
});

type State = z.infer<typeof stateSchema>;

/** Where a run stands. */
export type Position = Readonly<Pick<State, 'stagesDone' | 'stepsDone' | 'memory'>>;

/**
 * Writes weights and optimiser state into a folder that does not exist yet: `Policy.save`. It is called before the first
 * pause of {@link Checkpoints.writeStep}, so that nothing which the caller does next gets in before it.
 */
export type SavePolicy = (folder: string) => Promise<void>;

export type Checkpoint = Position & {
  /** The folder that `Policy.load` takes. */
  readonly policyFolder: string;
};

/** Step checkpoints that are kept: the last one and the one before it, should the last be torn. */
const KEPT = 2;

const UNFINISHED = '.writing';

/**
 * The `checkpoints` folder of a run. A checkpoint is a folder that is written beside and then renamed, so it is there
 * whole or not at all. Those after a stage (`after-verify`) stay; those after a step (`verify-000045`) make room for
 * the next.
 */
export class Checkpoints {
  readonly #folder: string;
  readonly #memory: string;
  #serial: number;

  private constructor(folder: string, serial: number) {
    this.#folder = folder;
    this.#memory = join(folder, 'memory');
    this.#serial = serial;
  }

  /** Clears away what a crash left half-written. */
  static async open(folder: string): Promise<Checkpoints> {
    await writing(folder, () => mkdir(join(folder, 'memory'), { recursive: true }));
    for (const name of await readdir(folder)) {
      if (name.endsWith(UNFINISHED)) await rm(join(folder, name), { recursive: true });
    }
    const states = await readStates(folder);
    return new Checkpoints(folder, states[0]?.state.serial ?? 0);
  }

  /** The latest checkpoint that is whole; undefined in a new run. */
  async latest(): Promise<Checkpoint | undefined> {
    const states = await readStates(this.#folder);
    for (const { name, state } of states) {
      const policyFolder = join(this.#folder, name, 'policy');
      if (await isWhole(policyFolder, state.files)) return { ...state, policyFolder };
    }
    if (states.length > 0) throw new RunError(`${this.#folder}: no checkpoint is whole; start again in another folder`);
    return undefined;
  }

  /** The folder that `Policy.load` takes, of a stage that is finished. */
  policyAfter(stage: string): string {
    return join(this.#folder, `after-${stage}`, 'policy');
  }

  /** After a step: cheap enough for every step, safe against kill -9. */
  async writeStep(stage: string, position: Position, savePolicy: SavePolicy): Promise<void> {
    await this.#write(`${stage}-${String(position.stepsDone).padStart(6, '0')}`, position, savePolicy);
    const steps = (await readStates(this.#folder)).filter(({ state }) => state.stepsDone > 0);
    await this.#drop(steps.slice(KEPT));
  }

  /** After a stage: outlives a power failure too; the stage's steps and memory are not needed any more. */
  async writeStage(stage: string, stagesDone: number, savePolicy: SavePolicy): Promise<void> {
    await this.#write(`after-${stage}`, { stagesDone, stepsDone: 0, memory: {} }, async (folder) => {
      await savePolicy(folder);
      await syncFiles(folder);
    });
    await syncFolder(this.#folder);
    await this.#drop((await readStates(this.#folder)).filter(({ state }) => state.stepsDone > 0));
    for (const file of await readdir(this.#memory)) await rm(join(this.#memory, file));
  }

  async #write(name: string, position: Position, savePolicy: SavePolicy): Promise<void> {
    const beside = join(this.#folder, `${name}${UNFINISHED}`);
    const final = join(this.#folder, name);
    await writing(final, async () => {
      try {
        await this.#writeBeside(beside, position, savePolicy);
        await rm(final, { recursive: true, force: true });
        await rename(beside, final);
      } catch (error) {
        await rm(beside, { recursive: true, force: true });
        throw error;
      }
    });
  }

  async #writeBeside(beside: string, position: Position, savePolicy: SavePolicy): Promise<void> {
    mkdirSync(beside); // a pause here would let the next optimiser step overtake the save
    const policyFolder = join(beside, 'policy');
    await savePolicy(policyFolder);
    const { stagesDone, stepsDone, memory } = position;
    const files = await fingerprintFiles(policyFolder);
    const state: State = { format: 1, serial: ++this.#serial, stagesDone, stepsDone, memory, files };
    await writeFile(join(beside, 'state.json'), JSON.stringify(state));
  }

  /** Writes a value under its own hash, so that a checkpoint only needs to name it. */
  async keep(value: unknown): Promise<string> {
    const text = JSON.stringify(value);
    const file = `${await sha256(text)}.json`;
    const path = join(this.#memory, file);
    if (!existsSync(path)) await writeWhole(path, text);
    return file;
  }

  /** @throws RunError where the value is gone or not what was kept. */
  async kept(file: string): Promise<unknown> {
    const path = join(this.#memory, file);
    const text = await readFile(path, 'utf8').catch(() => '');
    if (`${await sha256(text)}.json` !== file) {
      throw new RunError(`${path}: missing or damaged; start again in another folder`);
    }
    return JSON.parse(text);
  }

  /** Renamed first, so that a crash in the middle leaves something that `open` clears away. */
  async #drop(old: readonly { name: string }[]): Promise<void> {
    for (const { name } of old) {
      const aside = join(this.#folder, `${name}${UNFINISHED}`);
      await rename(join(this.#folder, name), aside);
      await rm(aside, { recursive: true });
    }
  }
}

/** The states in a folder, latest first. */
async function readStates(folder: string): Promise<{ name: string; state: State }[]> {
  const names = await readdir(folder);
  const states = await Promise.all(names.map(async (name) => ({ name, state: await readState(join(folder, name)) })));
  return states
    .filter((entry): entry is { name: string; state: State } => entry.state !== undefined)
    .sort((a, b) => b.state.serial - a.state.serial);
}

async function readState(folder: string): Promise<State | undefined> {
  try {
    return stateSchema.parse(JSON.parse(await readFile(join(folder, 'state.json'), 'utf8')));
  } catch {
    return undefined;
  }
}

async function isWhole(policyFolder: string, files: Readonly<Record<string, string>>): Promise<boolean> {
  try {
    return isDeepStrictEqual(await fingerprintFiles(policyFolder), files);
  } catch {
    return false;
  }
}

async function syncFiles(folder: string): Promise<void> {
  for (const path of await filesUnder(folder)) {
    const file = await open(join(folder, path), 'r+');
    await file.sync().finally(() => file.close());
  }
}
