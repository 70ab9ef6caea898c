import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { writeWhole, writing } from '../disk/write.ts';
import { measureLog } from '../probes/from-log/measure-log.ts';
import { throwIfInterrupted } from '../recipe/observer.ts';
import { sha256 } from '../record/fingerprint.ts';
import { EvalLogFile } from '../record/inspect/eval-log-file.ts';
import { writeJunit } from '../record/junit.ts';
import { AFTER_PROBE, refuseUsed } from '../record/run-folder.ts';
import { probeCases } from '../report/test-cases.ts';
import type { ProbeReport } from '../results/probe-report.ts';
import { probeResults } from '../results/probe-results.ts';
import { type Results, writeResults } from '../results/results.ts';
import { visibleLine } from '../visible.ts';
import { type DisplayOptions, openDisplay } from './display/open-display.ts';
import { EXIT } from './exit.ts';
import { onInterrupt } from './interrupt.ts';
import { describeMachine } from './machine.ts';
import { packageVersion } from './package-root.ts';
import { say } from './print.ts';
import { printResults, showResults } from './show-results.ts';

export type ProbeLogOptions = DisplayOptions & { readonly out?: string; readonly junit?: string };

/** As many damaged samples are named; of the rest the number is told. */
const NAMED = 20;

/** `unrut probe --from-log FILE`: measures transcripts that already exist, of any program. */
export async function probeLog(path: string, options: ProbeLogOptions): Promise<number> {
  const { out } = options;
  if (out !== undefined) await refuseUsed(out);
  const started = new Date();
  const log = await EvalLogFile.open(path);
  try {
    const { report, damaged } = await measure(log, options);
    tell([...(log.headerFault ? [`${path}: ${log.headerFault.entry}: ${log.headerFault.why}`] : []), ...damaged]);
    const seconds = (Date.now() - started.getTime()) / 1000;
    const results = probeResults(report, seconds, await card(log, started));
    if (options.junit !== undefined) await writeJunit(options.junit, results.run.name, probeCases(results), seconds);
    if (out === undefined) printResults(results, {}, options);
    else await save(out, results, report, options);
    return EXIT.ok;
  } finally {
    await log.close();
  }
}

async function measure(log: EvalLogFile, options: DisplayOptions) {
  const display = openDisplay(options);
  const interrupt = onInterrupt();
  try {
    return await measureLog(log, (share) => {
      display.doing(`reads ${basename(log.path)}`, share);
      throwIfInterrupted(interrupt.signal);
    });
  } finally {
    interrupt.dispose();
    display.close();
  }
}

function tell(faults: readonly string[]): void {
  const rest = faults.length > NAMED ? [`and ${faults.length - NAMED} more`] : [];
  for (const fault of [...faults.slice(0, NAMED), ...rest]) say(`unrut: left out: ${visibleLine(fault)}`);
}

async function card({ path, header }: EvalLogFile, started: Date): Promise<Results['run']> {
  const { task, model, packages } = header.eval;
  return {
    name: `log of ${task}`,
    seed: 0,
    versions: { unrut: packageVersion, node: process.versions.node, ...packages },
    recipe_sha256: await sha256(JSON.stringify({ log: basename(path), task })),
    model,
    started: started.toISOString(),
    machine: describeMachine(),
  };
}

/** The same files as of a probe, so that `unrut compare` and `unrut report` take either. */
async function save(out: string, results: Results, report: ProbeReport, options: DisplayOptions): Promise<void> {
  await writing(out, () => mkdir(join(out, 'probes'), { recursive: true }));
  await writeWhole(join(out, 'probes', `${AFTER_PROBE}.json`), JSON.stringify(report));
  await writeResults(join(out, 'results.json'), results);
  await showResults(out, results, options);
}
