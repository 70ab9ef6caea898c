import { join } from 'node:path';
import { checkFile } from '../disk/check-writable.ts';
import { writeJunit } from '../record/junit.ts';
import { AFTER_PROBE, readProbe } from '../record/run-folder.ts';
import { renderComparison } from '../report/compare.ts';
import { comparisonCases } from '../report/test-cases.ts';
import { compareReports } from '../results/compare-reports.ts';
import { readResults } from '../results/results.ts';
import { EXIT } from './exit.ts';
import { print, printJson } from './print.ts';

export type CompareOptions = { readonly gate?: boolean; readonly json?: boolean; readonly junit?: string };

/** `unrut compare RUN RUN`: the second run's model against the first's, paired by problem. */
export async function compare(first: string, second: string, options: CompareOptions): Promise<number> {
  for (const run of [first, second]) await readResults(join(run, 'results.json')); // makes their own metrics known
  if (options.junit !== undefined) await checkFile(options.junit, '--junit');
  const reports = [await readProbe(first, AFTER_PROBE), await readProbe(second, AFTER_PROBE)] as const;
  const comparison = compareReports([first, second], ...reports);
  if (options.json) printJson({ kind: 'comparison', ...comparison });
  else print(renderComparison(comparison));
  if (options.junit !== undefined) await writeJunit(options.junit, `${first} → ${second}`, comparisonCases(comparison));
  return options.gate && comparison.worse.length > 0 ? EXIT.gateMissed : EXIT.ok;
}
