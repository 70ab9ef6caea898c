import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.ts';
import { readResults } from '../results/results.ts';
import type { DisplayOptions } from './display/open-display.ts';
import { keepAndPrint, writeReport } from './show-results.ts';

/** `unrut report RUN`: makes the report of a finished run anew from its `results.json`. */
export async function report(run: string, options: DisplayOptions): Promise<number> {
  const stats = statSync(run, { throwIfNoEntry: false });
  if (!stats) throw new InputError(`${run}: no such run; give its folder`);
  const file = stats.isDirectory() ? join(run, 'results.json') : run;
  const results = await readResults(file);
  return keepAndPrint(results, options, () => writeReport(dirname(file), results));
}
