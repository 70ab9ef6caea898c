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

/**
 * Writes `report.html` and the transcripts beside `results.json`, and the card of the trained model where there is one; prints the table and
 * where the report is.
 */
export async function showResults(folder: string, results: Results, options: DisplayOptions): Promise<number> {
  const { renderHtml } = await import('../report/html.ts'); // drawing takes a second to load
  const report = join(folder, 'report.html');
  await writeWhole(report, renderHtml(results));
  await writeTranscripts(folder, results);
  const model = join(folder, 'model');
  if (existsSync(model)) await writeWhole(join(model, 'README.md'), renderModelCard(results));
  printResults(results, { results: join(folder, 'results.json'), report }, options);
  return results.gates.every((gate) => gate.held) ? EXIT.ok : EXIT.gateMissed;
}

/** The table for people; for machines one line that says where the files are, or that holds the results where there are none. */
export function printResults(
  results: Results,
  files: Readonly<Record<string, string>>,
  { json }: DisplayOptions,
): void {
  if (json) {
    const found = Object.keys(files).length === 0 ? { results } : files;
    printJson({ kind: 'results', time: new Date().toISOString(), ...found });
  } else {
    const paths = Object.entries(files).map(([name, path]) => `${name.padEnd(8)} ${path}\n`);
    print(`${renderTerminal(results)}\n${paths.join('')}`);
  }
}
