import { join } from 'node:path';
import { AFTER_PROBE, readProbe } from '../record/run-folder.ts';
import { rowTitle } from '../report/format.ts';
import { html } from '../report/page/markup.ts';
import { probeTable } from '../report/page/probe-table.ts';
import { compareReports } from '../results/compare-reports.ts';
import { readResults } from '../results/results.ts';
import { layout, way } from './layout.ts';

/**
 * Two runs, paired by problem. Folders are absolute, names are what the reader sees.
 * @throws InputError where the two were not measured on the same problems; RunError where one is damaged.
 */
export async function comparePage(
  folders: readonly [string, string],
  names: readonly [string, string],
): Promise<string> {
  for (const folder of folders) await readResults(join(folder, 'results.json')); // makes their own metrics known
  const reports = [await readProbe(folders[0], AFTER_PROBE), await readProbe(folders[1], AFTER_PROBE)] as const;
  const { rows, worse, familyError } = compareReports(names, ...reports);
  const verdict =
    worse.length === 0
      ? html`<p class="lead">No row is worse at a family-wise error of ${familyError}.</p>`
      : html`<p class="lead error">Worse at a family-wise error of ${familyError}: ${worse.map(rowTitle).join('; ')}.</p>`;
  const body = html`${way()}<h1>${names[1]} against ${names[0]}</h1>${verdict}
<p>“before” is ${names[0]}, “after” ${names[1]}; paired by problem, p adjusted over all rows.</p>${probeTable(rows)}`;
  return layout(`${names[1]} against ${names[0]}`, body);
}
