import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { fingerprintFiles } from '../../../src/record/fingerprint.ts';
import { readJournal } from '../../../src/record/journal.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CACHE = join(ROOT, 'node_modules/.cache');
let compiled: string;

/** Dozens of starts, and each takes a fifth of the time that it would with types to strip on the way. */
beforeAll(() => {
  mkdirSync(CACHE, { recursive: true });
  compiled = mkdtempSync(join(CACHE, 'unrut-fake-'));
  const project = ['-p', join(ROOT, 'tests/cli/fake'), '--outDir', compiled];
  execFileSync(process.execPath, [join(ROOT, 'node_modules/.bin/tsc'), ...project]);
  for (const name of ['package.json', 'prices.json']) copyFileSync(join(ROOT, name), join(compiled, name));
});
afterAll(() => rmSync(compiled, { recursive: true, force: true }));

export const RECIPE = `name: tiny
seed: 3
model: model
probes: { problems: 60, behaviours: [error-checking, base-quality] }
stages:
  - stage: drift
    steps: 15
  - stage: pooled
    steps: 15
gates:
  - { after: drift, metric: j, atLeast: 0.01, otherwise: report }
  - { after: pooled, metric: j, condition: kind=slip, atLeast: before - 0.9 }
  - { after: end, metric: clean_accuracy, atMost: 1 }
`;

export type Ended = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** A folder of its own with a model and a recipe, in which the command line is run as a user runs it. */
export class Sandbox {
  readonly path = mkdtempSync(join(tmpdir(), 'unrut-cli-'));

  constructor(recipe = RECIPE) {
    mkdirSync(this.at('model'));
    this.write('model/config.json', '{}');
    this.write('tiny.yaml', recipe);
  }

  at(path: string): string {
    return join(this.path, path);
  }

  write(path: string, text: string): void {
    writeFileSync(this.at(path), text);
  }

  read(path: string): string {
    return readFileSync(this.at(path), 'utf8');
  }

  events(run: string) {
    return readJournal(this.at(`${run}/events.jsonl`));
  }

  /** Everything that a run trained, by file: what two runs must agree on. */
  async trained(run: string): Promise<Record<string, Record<string, string>>> {
    const folders = ['checkpoints/after-drift/policy', 'checkpoints/after-pooled/policy', 'model', 'probes'];
    const prints = folders.map(
      async (folder) => [folder, await fingerprintFiles(this.at(`${run}/${folder}`))] as const,
    );
    return Object.fromEntries(await Promise.all(prints));
  }

  start(
    words: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): { child: ChildProcess; ended: Promise<Ended> } {
    const child = spawn(process.execPath, [join(compiled, 'tests/cli/fake/main.js'), ...words], {
      cwd: this.path,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return { child, ended: whenEnded(child) };
  }

  run(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return this.start(words, env).ended;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

function whenEnded(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (data) => {
    stdout += data;
  });
  child.stderr!.on('data', (data) => {
    stderr += data;
  });
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr })));
}
