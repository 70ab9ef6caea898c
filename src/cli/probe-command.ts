import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import type { ProbeReport, ProbeSettings } from '../probes/prober.ts';
import { probeResults } from '../recipe/make-results.ts';
import { nearest } from '../recipe/nearest.ts';
import type { Model, RunParts } from '../recipe/run-parts.ts';
import { goOn, type Watch } from '../recipe/watch.ts';
import { fingerprintFolder, sha256 } from '../record/fingerprint.ts';
import { type Behaviour, behaviours } from '../record/metrics.ts';
import { type Results, writeResults } from '../record/results.ts';
import { AFTER_PROBE, refuseUsed } from '../record/run-folder.ts';
import { writeWhole, writing } from '../record/write.ts';
import { type DisplayOptions, openDisplay } from './display/display.ts';
import { EXIT } from './exit.ts';
import { onInterrupt } from './interrupt.ts';
import { allVersions, describeMachine } from './machine.ts';
import { printResults, showResults } from './show-results.ts';

export type ProbeOptions = DisplayOptions & {
  readonly problems: number;
  readonly behaviours?: readonly string[];
  readonly seed: number;
  readonly out?: string;
};

/** `unrut probe MODEL`: measures one model and trains nothing. */
export async function probe(name: string, options: ProbeOptions, parts: RunParts): Promise<number> {
  const folder = findModel(name);
  const { problems, seed, out } = options;
  const settings = { problems, seed, behaviours: chosenBehaviours(options.behaviours) };
  if (out !== undefined) await refuseUsed(out);
  const started = new Date();
  const model = await parts.openModel(folder, { fresh: false, seed });
  try {
    const report = await measure(name, model, settings, options, parts);
    const seconds = (Date.now() - started.getTime()) / 1000;
    const results = probeResults(report, seconds, await card(folder, name, model, settings, started, parts));
    if (out === undefined) printResults(results, {}, options);
    else await save(out, results, report, options);
    return EXIT.ok;
  } finally {
    await model.policy.close();
  }
}

/** A model folder, or a finished run, which stands for the model that it trained. */
function findModel(path: string): string {
  const folder = existsSync(join(path, 'run.yaml')) ? join(path, 'model') : path;
  if (existsSync(folder)) return folder;
  throw new InputError(`${folder}: no such model folder${folder === path ? '' : '; the run has not finished'}`);
}

function chosenBehaviours(names: readonly string[] | undefined): Behaviour[] {
  if (!names) return [...behaviours];
  const unknown = names.find((name) => !behaviours.some((behaviour) => behaviour === name));
  if (unknown === undefined) return behaviours.filter((behaviour) => names.includes(behaviour));
  throw new InputError(`--behaviours: "${unknown}" is not known${nearest(unknown, behaviours)}`);
}

async function measure(
  name: string,
  model: Model,
  settings: ProbeSettings,
  options: DisplayOptions,
  { prober, probeTarget }: RunParts,
): Promise<ProbeReport> {
  const display: Watch & { close(): void } = openDisplay(options);
  const interrupt = onInterrupt();
  try {
    return await prober.probe(probeTarget(name, model.reference, model), settings, (what, share) => {
      display.doing(what, share);
      goOn(interrupt.signal);
    });
  } finally {
    interrupt.dispose();
    display.close();
  }
}

async function card(
  folder: string,
  name: string,
  model: Model,
  settings: ProbeSettings,
  started: Date,
  parts: RunParts,
): Promise<Results['run']> {
  return {
    name: 'probe',
    seed: settings.seed,
    versions: allVersions(parts),
    recipe_sha256: await sha256(JSON.stringify(settings)),
    model: name,
    model_sha256: await fingerprintFolder(folder),
    parameters: model.parameters,
    started: started.toISOString(),
    machine: describeMachine(),
  };
}

/** The same files as of a run, so that `unrut compare` and `unrut report` take either. */
async function save(out: string, results: Results, report: ProbeReport, options: DisplayOptions): Promise<void> {
  await writing(out, () => mkdir(join(out, 'probes'), { recursive: true }));
  await writeWhole(join(out, 'probes', `${AFTER_PROBE}.json`), JSON.stringify(report));
  await writeResults(join(out, 'results.json'), results);
  await showResults(out, results, options);
}
