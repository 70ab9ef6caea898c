import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../temporary.ts';

/** @file Nothing leaves the machine: the executor's telemetry, on by default, stays off however unrut is started. */

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const TSX = ['--import', import.meta.resolve('tsx')];
const COMMAND = [...TSX, path('src/cli/main.ts')];
const PROBE = ['probe', path('models/organism'), '--behaviours', 'loops', '--problems', '4', '--quiet'];

/** A program of one's own over the library entry. */
const LIBRARY = [...TSX, '--input-type=module', '-e'];
const PROGRAM = `
  const { parts, runCli } = await import(${JSON.stringify(path('src/index.ts'))});
  process.exitCode = await runCli(${JSON.stringify(PROBE)}, async () => parts);`;

/** Runs where nothing was cached before, and outside of CI, which the executor takes as a sign to keep quiet. */
async function run(words: readonly string[], home: string): Promise<string> {
  const { CI: _ci, XDG_CACHE_HOME: _cache, ORT_DISABLE_TELEMETRY: _off, ...env } = process.env;
  return (await promisify(execFile)(process.execPath, words, { env: { ...env, HOME: home } })).stderr;
}

it.each([
  ['the command line', [...COMMAND, ...PROBE]],
  ['the library entry', [...LIBRARY, PROGRAM]],
])('leaves nothing in the home folder by %s', async (_name, words) => {
  const home = temporaryFolder();
  expect(await run(words, home)).toBe('');
  expect(readdirSync(home, { recursive: true })).toEqual([]);
});

it('prints no warning where the home folder cannot be written', async () => {
  expect(await run([...COMMAND, ...PROBE], '/dev/null/home')).toBe('');
});
