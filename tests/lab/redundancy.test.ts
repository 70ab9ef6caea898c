import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { redundancy } from '../../src/lab/redundancy/redundancy.ts';
import { stream } from '../../src/random.ts';
import { renderLabHtml } from '../../src/report/lab-html.ts';
import { renderLabTerminal } from '../../src/report/lab-terminal.ts';
import { readLabResults } from '../../src/results/lab-results.ts';
import { temporaryFile, temporaryFolder } from '../temporary.ts';
import { runLab } from './run.ts';

const SMALL = { steps: 4, rows: 4, context: 32, width: 32, layers: 1, controlBytes: 20_000 };

/** A text in which no letter says anything of the next one. */
function noiseFile(): string {
  const draws = stream(1, 'noise');
  const line = () => Array.from({ length: 500 }, () => String.fromCharCode(33 + draws.integer(94))).join('');
  const path = temporaryFile('noise.txt');
  writeFileSync(path, Array.from({ length: 40 }, line).join('\n\n'));
  return path;
}

describe('redundancy', () => {
  it('finds the redundancy of prose, leaves a page and a contract, and is the same twice', async () => {
    const folder = join(temporaryFolder(), 'lab');
    const results = await runLab(redundancy, SMALL, { folder });
    expect(results.verdict).toBe('supported');
    expect(results.finding.controls.every(({ held }) => held)).toBe(true);
    expect(await readLabResults(join(folder, 'lab.json'))).toEqual(results);
    expect(renderLabHtml([results])).toContain('<svg');
    expect(renderLabTerminal(results)).toMatch(/^SUPPORTED: /m);
    expect((await runLab(redundancy, SMALL)).finding).toEqual(results.finding);
  });

  it('declares before it runs, and refuses to continue under another declaration', async () => {
    const folder = join(temporaryFolder(), 'lab');
    const stop = new AbortController();
    stop.abort();
    await expect(runLab(redundancy, SMALL, { folder, signal: stop.signal })).rejects.toThrow('interrupted');
    const declared = JSON.parse(readFileSync(join(folder, 'declaration.json'), 'utf8'));
    expect(declared.declaration).toEqual(redundancy.declaration);
    const results = await runLab(redundancy, SMALL, { folder });
    expect(results.declared_sha256).toBe(declared.sha256);
    await expect(runLab(redundancy, { ...SMALL, steps: 5 }, { folder })).rejects.toThrow(
      'was declared with other options',
    );
  });

  it('comes out negative on text without redundancy', async () => {
    const results = await runLab(redundancy, { ...SMALL, corpus: noiseFile() });
    expect(results.verdict).toBe('not supported');
  });
});
