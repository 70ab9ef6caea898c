import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { checkFile } from '../disk/check-writable.ts';
import { writeWhole, writing } from '../disk/write.ts';
import { isAddress } from '../engine/endpoint/address.ts';
import { InputError, Interrupted } from '../errors.ts';
import { nearest } from '../recipe/nearest.ts';
import { throwIfInterrupted } from '../recipe/observer.ts';
import type { RunParts } from '../recipe/run-parts.ts';
import { sha256 } from '../record/fingerprint.ts';
import { writeJunit } from '../record/junit.ts';
import { AFTER_PROBE } from '../record/run-folder.ts';
import { probeCases } from '../report/test-cases.ts';
import { type Behaviour, behaviours } from '../results/metrics.ts';
import type { ProbeReport } from '../results/probe-report.ts';
import { probeResults } from '../results/probe-results.ts';
import { type Results, writeResults } from '../results/results.ts';
import { visibleLine } from '../visible.ts';
import type { Display } from './display/display.ts';
import { type DisplayOptions, openDisplay } from './display/open-display.ts';
import { onInterrupt } from './interrupt.ts';
import { allVersions, describeMachine } from './machine.ts';
import { ENDPOINT_ONLY } from './options/endpoint-options.ts';
import { optionName } from './options/option-name.ts';
import { print, printJson, say } from './print.ts';
import { type Files, keepAndPrint, writeReport } from './show-results.ts';
import { type EndpointOptions, openEndpointTarget } from './targets/endpoint-target.ts';
import { openFolderTarget } from './targets/folder-target.ts';
import type { OpenTarget } from './targets/open-target.ts';

export type ProbeOptions = DisplayOptions &
  EndpointOptions & {
    readonly problems: number;
    readonly behaviours?: readonly string[];
    readonly seed: number;
    readonly junit?: string;
  };

/** `unrut probe MODEL`: measures one model, in a folder or behind an endpoint, and trains nothing. */
export async function probe(name: string, options: ProbeOptions, parts: RunParts): Promise<number> {
  const wanted = { problems: options.problems, seed: options.seed, behaviours: chosenBehaviours(options.behaviours) };
  if (options.junit !== undefined) await checkFile(options.junit, '--junit');
  const started = new Date();
  const interrupt = onInterrupt();
  try {
    const open = isAddress(name)
      ? await openEndpointTarget(name, wanted, options, sayer(options), interruption(interrupt.signal))
      : await openFolderTarget(name, wanted, { ...onlyForFolders(name, options), signal: interrupt.signal }, parts);
    try {
      const report = await measure(open, options, interrupt.signal);
      const seconds = (Date.now() - started.getTime()) / 1000;
      const results = probeResults(report, seconds, await card(name, open, started, parts));
      return await keepAndPrint(results, options, async () => {
        await open.keep?.(results);
        const files = open.out === undefined ? {} : await save(open.out, results, report);
        if (options.junit !== undefined) await writeJunit(options.junit, name, probeCases(results), seconds);
        return files;
      });
    } finally {
      await open.close();
    }
  } catch (error) {
    if (error instanceof Interrupted && isAddress(name)) {
      say('unrut: interrupted, every reply is saved; go on with the same command and --resume');
    }
    throw error;
  } finally {
    interrupt.dispose();
  }
}

/** An option that would be ignored is refused. */
function onlyForFolders(name: string, options: ProbeOptions): ProbeOptions {
  const foreign = ENDPOINT_ONLY.find((option) => options[option] !== undefined);
  if (foreign === undefined) return options;
  throw new InputError(`${optionName(foreign)} is for endpoints; ${name} is a folder`);
}

/** Names one by one or with commas between. */
function chosenBehaviours(names: readonly string[] | undefined): Behaviour[] {
  if (!names) return [...behaviours()];
  const chosen = names.flatMap((name) => name.split(','));
  const unknown = chosen.find((name) => !behaviours().some((behaviour) => behaviour === name));
  if (unknown === undefined) return behaviours().filter((behaviour) => chosen.includes(behaviour));
  throw new InputError(`--behaviours: "${unknown}" is not known${nearest(unknown, behaviours())}`);
}

/** What an endpoint has shown and will cost, before anything is spent. */
function sayer({ json, quiet }: DisplayOptions): (lines: readonly string[]) => void {
  if (quiet) return () => {};
  if (json) return (lines) => printJson({ kind: 'said', time: new Date().toISOString(), lines });
  return (lines) => print(`${lines.map(visibleLine).join('\n')}\n`);
}

/** A signal whose reason is what the command line ends quietly with. */
function interruption(signal: AbortSignal): AbortSignal {
  const controller = new AbortController();
  signal.addEventListener('abort', () => controller.abort(new Interrupted('the probe was interrupted')));
  return controller.signal;
}

async function measure(
  { prober, target, settings, progress }: OpenTarget,
  options: DisplayOptions,
  signal: AbortSignal,
): Promise<ProbeReport> {
  const display = openDisplay(options);
  const ticker = new Ticker(display, progress);
  try {
    return await prober.probe(target, settings, (what, share) => {
      ticker.doing(what, share);
      throwIfInterrupted(signal);
    });
  } finally {
    ticker.stop();
    display.close();
  }
}

/** Says now and then how far a measurement is, where one behaviour may take an hour. */
class Ticker {
  readonly #display: Display;
  readonly #timer: NodeJS.Timeout | undefined;
  #what = '';
  #share: number | undefined;

  constructor(display: Display, progress: (() => string) | undefined) {
    this.#display = display;
    const seconds = process.stdout.isTTY ? 1 : 30;
    if (progress)
      this.#timer = setInterval(() => display.doing(`${this.#what}: ${progress()}`, this.#share), seconds * 1000);
  }

  doing(what: string, share?: number): void {
    this.#what = what;
    this.#share = share;
    this.#display.doing(what, share);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

async function card(
  name: string,
  { settings, about }: Pick<OpenTarget, 'settings' | 'about'>,
  started: Date,
  parts: RunParts,
): Promise<Results['run']> {
  return {
    name: 'probe',
    seed: settings.seed,
    versions: allVersions(parts),
    recipe_sha256: await sha256(JSON.stringify(settings)),
    model: name,
    ...(await about()),
    started: started.toISOString(),
    machine: describeMachine(),
  };
}

/** The same files as of a run, so that `unrut compare` and `unrut report` take either. */
export async function save(out: string, results: Results, report: ProbeReport): Promise<Files> {
  await writing(out, () => mkdir(join(out, 'probes'), { recursive: true }));
  await writeWhole(join(out, 'probes', `${AFTER_PROBE}.json`), JSON.stringify(report));
  await writeResults(join(out, 'results.json'), results);
  return writeReport(out, results);
}
