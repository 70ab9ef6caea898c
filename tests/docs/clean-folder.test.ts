import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../temporary.ts';

/** @file The commands of docs/extend.md in a folder of their own, as somebody has it who has installed the package. */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const folder = temporaryFolder();
const installed = join(folder, 'node_modules/unrut');

/** What `npm install` would put there; the libraries are those of the repository. */
beforeAll(() => {
  mkdirSync(installed, { recursive: true });
  const libraries = join(ROOT, 'node_modules');
  execFileSync(join(libraries, '.bin/tsc'), [
    '-p',
    join(ROOT, 'tsconfig.build.json'),
    '--outDir',
    join(installed, 'dist'),
  ]);
  copyFileSync(join(ROOT, 'package.json'), join(installed, 'package.json'));
  for (const name of ['models', 'recipes', 'docs'])
    cpSync(join(ROOT, name), join(installed, name), { recursive: true });
  symlinkSync(libraries, join(installed, 'node_modules'));
  for (const name of ['zod', 'tsx']) symlinkSync(join(libraries, name), join(folder, 'node_modules', name));
});

function run(...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(words[0]!, words.slice(1), { cwd: folder, encoding: 'utf8' });
  return { status, stdout, stderr };
}

it('makes a family, a probe and a stage of one’s own work as the guide writes them', () => {
  const guide = readFileSync(join(installed, 'docs/extend.md'), 'utf8');
  expect(run('npm', 'init', '-y').status).toBe(0);
  expect(run('npm', 'pkg', 'set', 'type=module').status).toBe(0);
  cpSync(join(installed, 'docs/examples'), folder, { recursive: true });
  const commands = [...guide.matchAll(/^npx tsx (main\.ts .*?)(?: +#.*)?$/gm)].map(([, words]) => words!.split(' '));
  expect(commands.map(([, command]) => command)).toEqual(['problems', 'run', 'probe']);
  const main = (words: readonly string[]) => run(process.execPath, '--import', 'tsx', ...words);
  const [problems, recipe, probe] = commands;
  expect(main(problems!)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/addition: \d+ checks on .* all hold/),
  });
  expect(main(recipe!)).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('stage recite done') });
  expect(existsSync(join(folder, 'runs/recite-1/report.html'))).toBe(true);
  expect(main(probe!).stderr).toMatch(/^unrut: .*path\/to\/chat-model/); // the one thing that a reader has to bring
});
