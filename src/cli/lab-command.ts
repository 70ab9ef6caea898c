import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../disk/write.ts';
import { InputError, Interrupted } from '../errors.ts';
import type { Experiment } from '../lab/experiment.ts';
import { EXPERIMENTS, experimentOf } from '../lab/experiments.ts';
import { runExperiment } from '../lab/run-experiment.ts';
import type { RunParts } from '../recipe/run-parts.ts';
import { Lock } from '../record/lock.ts';
import { formatCount } from '../report/format.ts';
import { renderLabTerminal } from '../report/lab-terminal.ts';
import { printTable } from '../report/print-table.ts';
import { LAB_FILE, type LabResults, readLabResults } from '../results/lab-results.ts';
import { verdictLine } from '../results/lab-verdict.ts';
import { EXIT } from './exit.ts';
import { findModel } from './find-model.ts';
import { latestRunFolder, nextRunFolder } from './find-run.ts';
import { onInterrupt } from './interrupt.ts';
import { allVersions, describeMachine } from './machine.ts';
import { print, printJson, redraw, say } from './print.ts';

export type LabOptions = {
  readonly seed: number;
  readonly set?: readonly string[];
  readonly corpus?: string;
  readonly out?: string;
  readonly resume?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
};

/** `unrut lab`: the list of experiments, with the verdict of the last run of each in this folder. */
export async function listLab({ json }: Pick<LabOptions, 'json'>): Promise<number> {
  const rows = await Promise.all(
    EXPERIMENTS.map(async (one) => ({ ...about(one), last: await lastVerdict(one.name) })),
  );
  if (json) printJson({ kind: 'lab', experiments: rows });
  else for (const row of rows) print(entry(row));
  return EXIT.ok;
}

const about = ({ name, claim, question, minutes }: Experiment) => ({ name, claim, question, minutes });

function entry({
  name,
  claim,
  question,
  minutes,
  last,
}: ReturnType<typeof about> & { last: string | undefined }): string {
  return `${name} (${minutes} min)\n  claim: “${claim}”\n  ${question}\n  last verdict: ${last ?? `none here; unrut lab ${name}`}\n`;
}

async function lastVerdict(name: string): Promise<string | undefined> {
  const folder = latestRunFolder(`lab-${name}`);
  if (folder === undefined || !existsSync(join(folder, LAB_FILE))) return undefined;
  const { verdict, finding } = await readLabResults(join(folder, LAB_FILE));
  return verdictLine(verdict, finding.headline);
}

/** `unrut lab NAME [MODEL]`: runs an experiment, prints its verdict, writes `lab.json` and `report.html`. */
export async function lab(
  name: string,
  model: string | undefined,
  options: LabOptions,
  parts: RunParts,
): Promise<number> {
  const experiment = experimentOf(name);
  const found = model === undefined ? undefined : await findModel(model, options);
  const chosen = optionsOf(experiment, found?.folder, options);
  if (options.dryRun) return printDeclaration(experiment, chosen, options);
  const folder = folderOf(`lab-${name}`, options);
  const results = await runIn(folder, experiment, chosen, options, parts);
  if (results === undefined) return EXIT.interrupted;
  await showLab(folder, [results], options);
  return EXIT.ok;
}

/** `unrut lab all`: every experiment with its default options, and one page with all of them. */
export async function labAll(options: LabOptions, parts: RunParts): Promise<number> {
  if (options.dryRun) {
    for (const one of EXPERIMENTS) printDeclaration(one, one.options.parse({}), options);
    return EXIT.ok;
  }
  const folder = folderOf('lab-all', options);
  const all: LabResults[] = [];
  for (const experiment of EXPERIMENTS) {
    const results = await runIn(
      join(folder, experiment.name),
      experiment,
      experiment.options.parse({}),
      options,
      parts,
    );
    if (results === undefined) return EXIT.interrupted;
    all.push(results);
  }
  await showLab(folder, all, options);
  return EXIT.ok;
}

function folderOf(name: string, { out, resume }: LabOptions): string {
  const folder = out ?? (resume ? latestRunFolder(name) : undefined) ?? nextRunFolder(name);
  if (resume || !existsSync(join(folder, 'declaration.json'))) return folder;
  throw new InputError(`${folder}: already holds an experiment; add --resume to continue it, or choose another --out`);
}

async function runIn(
  folder: string,
  experiment: Experiment,
  chosen: Record<string, unknown>,
  options: LabOptions,
  parts: RunParts,
): Promise<LabResults | undefined> {
  if (existsSync(join(folder, LAB_FILE))) return readLabResults(join(folder, LAB_FILE));
  const interrupt = onInterrupt('stops after this piece of work');
  const show = progressOf(options);
  let lock: Lock | undefined;
  try {
    return await runExperiment(experiment, {
      folder,
      options: chosen,
      seed: options.seed,
      versions: allVersions(parts),
      machine: describeMachine(),
      signal: interrupt.signal,
      progress: show.progress,
      begun: async () => {
        lock = await Lock.take(join(folder, 'lock'));
      },
    });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    say(`unrut: interrupted; finished pieces are kept: the same command with --resume --out ${folder} continues`);
    return undefined;
  } finally {
    show.close();
    interrupt.dispose();
    lock?.release();
  }
}

/** The options of an experiment: from --set, the model on the command line and --corpus. */
function optionsOf(
  experiment: Experiment,
  model: string | undefined,
  { set = [], corpus }: LabOptions,
): Record<string, unknown> {
  const given: Record<string, unknown> = Object.fromEntries(set.map((one) => pair(one, experiment)));
  if (model !== undefined) given.model = model;
  if (corpus !== undefined) given.corpus = corpus;
  const parsed = experiment.options.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const known = Object.keys(experiment.options.shape).join(', ');
  throw new InputError(
    `lab ${experiment.name}: ${issue?.path.join('.') || 'options'}: ${issue?.message}; there are ${known}`,
  );
}

function pair(text: string, { name }: Experiment): [string, unknown] {
  const at = text.indexOf('=');
  if (at < 1) throw new InputError(`lab ${name}: --set ${text}: write it like steps=200`);
  const value = text.slice(at + 1);
  const number = Number(value);
  return [text.slice(0, at), value.trim() !== '' && Number.isFinite(number) ? number : (jsonOf(value) ?? value)];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a plain word
  }
}

function printDeclaration(
  { name, minutes, declaration, claim }: Experiment,
  chosen: Record<string, unknown>,
  { json }: LabOptions,
): number {
  if (json) printJson({ kind: 'declaration', experiment: name, claim, minutes, declaration, options: chosen });
  else {
    const table = printTable(['declared', '']);
    table.push(
      ['experiment', `${name}, about ${minutes} minutes`],
      ['claim', claim],
      ...Object.entries(declaration).map(([key, text]) => [key, Array.isArray(text) ? text.join('; ') : String(text)]),
      ['options', z.string().parse(JSON.stringify(chosen))],
    );
    print(`${table}\n`);
  }
  return EXIT.ok;
}

/** Writes the page of experiments, and prints them with their verdicts. */
export async function showLab(
  folder: string,
  results: readonly LabResults[],
  { json }: Pick<LabOptions, 'json'>,
): Promise<void> {
  const { renderLabHtml } = await import('../report/lab-html.ts'); // drawing takes a second to load
  const report = join(folder, 'report.html');
  await writeWhole(report, renderLabHtml(results));
  if (json) printJson({ kind: 'lab-results', time: new Date().toISOString(), report, results });
  else print(`${results.map((one) => renderLabTerminal(one)).join('\n')}\nreport   ${report}\n`);
}

type Progress = { progress(what: string, share: number): void; close(): void };

/** A line that is drawn anew in a terminal, a line a piece in a pipe, an event a piece for machines. */
function progressOf({ json, quiet }: LabOptions): Progress {
  if (quiet) return { progress() {}, close() {} };
  if (json || !process.stdout.isTTY) return { progress: pieceByPiece(json === true), close() {} };
  const clock = new Map<string, number>();
  return {
    progress(what, share) {
      const start = clock.get(what) ?? performance.now();
      clock.set(what, start);
      const left =
        share > 0.01
          ? `, ${formatCount(Math.ceil(((performance.now() - start) / 1000) * (1 / share - 1)))} s left`
          : '';
      redraw(`${what}: ${Math.round(share * 100)} %${left}`);
    },
    close: () => redraw(''),
  };
}

function pieceByPiece(json: boolean): Progress['progress'] {
  let last = '';
  return (what) => {
    if (what === last) return;
    last = what;
    if (json) printJson({ kind: 'piece', time: new Date().toISOString(), what });
    else print(`  ${what}\n`);
  };
}
