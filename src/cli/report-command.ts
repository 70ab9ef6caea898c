import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.ts';
import { LAB_FILE, readLabResults } from '../results/lab-results.ts';
import { readResults } from '../results/results.ts';
import type { DisplayOptions } from './display/open-display.ts';
import { EXIT } from './exit.ts';
import { showLab } from './lab-command.ts';
import { keepAndPrint, writeReport } from './show-results.ts';

/** `unrut report RUN`: makes the report of a finished run anew from its `results.json`, or of an experiment from its `lab.json`. */
export async function report(run: string, options: DisplayOptions): Promise<number> {
  const stats = statSync(run, { throwIfNoEntry: false });
  if (!stats) throw new InputError(`${run}: no such run; give its folder`);
  if (existsSync(join(run, LAB_FILE))) {
    await showLab(run, [await readLabResults(join(run, LAB_FILE))], options);
    return EXIT.ok;
  }
  const file = stats.isDirectory() ? join(run, 'results.json') : run;
  const results = await readResults(file);
  return keepAndPrint(results, options, () => writeReport(dirname(file), results));
}
