import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../disk/write.ts';
import { writeTranscripts } from '../record/inspect/write-transcripts.ts';
import { renderModelCard } from '../report/model-card.ts';
import { renderTerminal } from '../report/terminal.ts';
import type { Results } from '../results/results.ts';
import type { DisplayOptions } from './display/open-display.ts';
import { EXIT } from './exit.ts';
import { print, printJson } from './print.ts';

/** Where what was kept lies, by what it is. */
export type Files = Readonly<Record<string, string>>;

/**
 * Writes `report.html` and the transcripts beside `results.json`, and the card of the trained model where there is one.
 * @returns where they are.
 */
export async function writeReport(folder: string, results: Results): Promise<Files> {
  const { renderHtml } = await import('../report/html.ts'); // drawing takes a second to load
  const report = join(folder, 'report.html');
  await writeWhole(report, renderHtml(results));
  await writeTranscripts(folder, results);
  const model = join(folder, 'model');
  if (existsSync(model)) await writeWhole(join(model, 'README.md'), renderModelCard(results));
  return { results: join(folder, 'results.json'), report };
}

/**
 * Keeps what was measured and prints the table, also where it could not be kept.
 * @returns the exit code: whether every gate held.
 */
export async function keepAndPrint(
  results: Results,
  options: DisplayOptions,
  keep: () => Promise<Files>,
): Promise<number> {
  let files: Files | undefined;
  try {
    files = await keep();
  } finally {
    printResults(results, files, options);
  }
  return results.gates.every((gate) => gate.held) ? EXIT.ok : EXIT.gateMissed;
}

/** The table for people; for machines one line that says where the files are, or that holds the results where there are none. */
function printResults(results: Results, files: Files = {}, { json, quiet }: DisplayOptions): void {
  const kept = Object.entries(files);
  if (json) {
    const found = kept.length === 0 ? { results } : files;
    printJson({ kind: 'results', time: new Date().toISOString(), ...found });
    return;
  }
  const paths = kept.map(([name, path]) => `${name.padEnd(8)} ${path}\n`);
  if (kept.length === 0 && !quiet)
    paths.push('nothing of this is kept; --out FOLDER keeps the results and the report\n');
  print(`${renderTerminal(results)}\n${paths.join('')}`);
}
