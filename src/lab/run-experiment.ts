import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole, writing } from '../disk/write.ts';
import { Interrupted, RunError } from '../errors.ts';
import { sha256 } from '../record/fingerprint.ts';
import { findingSchema } from '../results/lab-finding.ts';
import { LAB_FILE, type LabResults, labSchemaName, writeLabResults } from '../results/lab-results.ts';
import { verdictOf } from '../results/lab-verdict.ts';
import type { Experiment, LabContext } from './experiment.ts';

export type LabRun = {
  readonly folder: string;
  /** Already checked against the experiment's schema. */
  readonly options: Record<string, unknown>;
  readonly seed: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: string;
  readonly signal: AbortSignal;
  /** Called once the folder is there and before anything is computed. */
  begun?(): Promise<void>;
  /** What is done now, and the share of the piece that is done in [0, 1]. */
  progress(what: string, share: number): void;
};

/**
 * Carries out an experiment: writes the declaration and its hash, then runs, then judges. Pieces that an earlier process
 * finished in the same folder are read, not done again.
 * @throws RunError where the folder holds another experiment, or the same one declared otherwise.
 */
export async function runExperiment(experiment: Experiment, run: LabRun): Promise<LabResults> {
  const declared = await declare(experiment, run);
  await run.begun?.();
  const finding = findingSchema.parse(await experiment.run(contextOf(run), run.options));
  const { claim, question, declaration, name } = experiment;
  const results: LabResults = {
    schema: labSchemaName,
    experiment: name,
    claim,
    question,
    declaration,
    declared_sha256: declared.sha256,
    options: JSON.parse(JSON.stringify(run.options)),
    seed: run.seed,
    versions: { ...run.versions },
    machine: run.machine,
    started: declared.started,
    seconds: await secondsSpent(run.folder),
    verdict: verdictOf(finding),
    finding,
  };
  await writeLabResults(join(run.folder, LAB_FILE), results);
  return results;
}

type Declared = { readonly sha256: string; readonly started: string };

/** Before anything else: what is claimed cannot follow what was found. */
async function declare(experiment: Experiment, { folder, options, seed }: LabRun): Promise<Declared> {
  const { name, declaration } = experiment;
  const declared = { experiment: name, declaration, options, seed };
  const hash = await sha256(JSON.stringify(declared));
  const path = join(folder, 'declaration.json');
  await writing(folder, () => mkdir(join(folder, 'pieces'), { recursive: true }));
  if (existsSync(path)) return begun(path, hash);
  const started = new Date().toISOString();
  await writeWhole(path, `${JSON.stringify({ ...declared, sha256: hash, started }, null, 2)}\n`);
  return { sha256: hash, started };
}

async function begun(path: string, hash: string): Promise<Declared> {
  const known: Declared = JSON.parse(await readFile(path, 'utf8'));
  if (known.sha256 === hash) return known;
  throw new RunError(
    `${path}: was declared with other options, seed or text; resume with the same, or take another --out`,
  );
}

type Piece = { readonly name: string; readonly seconds: number; readonly result: unknown };

function contextOf({ folder, seed, signal, progress }: LabRun): LabContext {
  let current = '';
  return {
    seed,
    progress(share) {
      if (signal.aborted) throw new Interrupted('the experiment was interrupted');
      progress(current, share);
    },
    async piece<Result>(name: string, work: () => Promise<Result> | Result): Promise<Result> {
      const path = join(folder, 'pieces', `${(await sha256(name)).slice(0, 16)}.json`);
      if (existsSync(path)) return (await readPiece(path)).result as Result; // what the same work gave
      current = name;
      this.progress(0);
      const start = performance.now();
      const result = await work();
      const seconds = (performance.now() - start) / 1000;
      await writeWhole(path, JSON.stringify({ name, seconds, result } satisfies Piece));
      await note(folder, path);
      return result;
    },
  };
}

async function readPiece(path: string): Promise<Piece> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    throw new RunError(`${path}: is damaged; delete it, and --resume does this piece again`);
  }
}

/** The pieces in the order in which they were done. */
async function note(folder: string, path: string): Promise<void> {
  const index = join(folder, 'pieces.json');
  await writeWhole(index, JSON.stringify([...(await pieces(folder)), path.slice(folder.length + 1)]));
}

async function pieces(folder: string): Promise<string[]> {
  const index = join(folder, 'pieces.json');
  return existsSync(index) ? JSON.parse(await readFile(index, 'utf8')) : [];
}

/** Over all processes that worked on it. */
async function secondsSpent(folder: string): Promise<number> {
  const done = await Promise.all((await pieces(folder)).map((path) => readPiece(join(folder, path))));
  return done.reduce((sum, { seconds }) => sum + seconds, 0);
}
