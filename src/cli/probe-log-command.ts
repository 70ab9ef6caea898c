import { basename } from 'node:path';
import { checkFile } from '../disk/check-writable.ts';
import { measureLog } from '../probes/from-log/measure-log.ts';
import { throwIfInterrupted } from '../recipe/observer.ts';
import { sha256 } from '../record/fingerprint.ts';
import { EvalLogFile } from '../record/inspect/eval-log-file.ts';
import { writeJunit } from '../record/junit.ts';
import { checkUnused } from '../record/run-folder.ts';
import { probeCases } from '../report/test-cases.ts';
import { probeResults } from '../results/probe-results.ts';
import type { Results } from '../results/results.ts';
import { visibleLine } from '../visible.ts';
import { type DisplayOptions, openDisplay } from './display/open-display.ts';
import { onInterrupt } from './interrupt.ts';
import { describeMachine } from './machine.ts';
import { packageVersion } from './package-root.ts';
import { say } from './print.ts';
import { save } from './probe-command.ts';
import { keepAndPrint } from './show-results.ts';

export type ProbeLogOptions = DisplayOptions & { readonly out?: string; readonly junit?: string };

/** As many damaged samples are named; of the rest the number is told. */
const NAMED = 20;

/** `unrut probe --from-log FILE`: measures transcripts that already exist, of any program. */
export async function probeLog(path: string, options: ProbeLogOptions): Promise<number> {
  const { out } = options;
  if (out !== undefined) await checkUnused(out);
  if (options.junit !== undefined) await checkFile(options.junit, '--junit');
  const started = new Date();
  const log = await EvalLogFile.open(path);
  try {
    const { report, damaged } = await measure(log, options);
    tell([...(log.headerFault ? [`${path}: ${log.headerFault.entry}: ${log.headerFault.why}`] : []), ...damaged]);
    const seconds = (Date.now() - started.getTime()) / 1000;
    const results = probeResults(report, seconds, await card(log, started));
    return await keepAndPrint(results, options, async () => {
      const files = out === undefined ? {} : await save(out, results, report);
      if (options.junit !== undefined) await writeJunit(options.junit, results.run.name, probeCases(results), seconds);
      return files;
    });
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
