import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

function talk(words: readonly string[], lines: readonly string[]) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), MAIN, 'chat', ...words],
    {
      input: `${lines.join('\n')}\n`,
      encoding: 'utf8',
    },
  );
  return { said: stdout.trimEnd().split('\n'), stderr, status };
}

const PROBLEM = 'i6e0l3a3h0|lehia';
const BOTH = ['models/organism', '--against', 'models/control', '--tokens', '40'];

it('talks to two models side by side, and puts a wrong turn into their mouths', () => {
  const { said, stderr, status } = talk(BOTH, [PROBLEM, '/wrong l33e02h02i68a31:1', '?', '/undo', '/begin l3']);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  expect(said[0]).toMatch(/^models\/organism> l33e03/);
  expect(said[1]).toMatch(/^models\/control> l33e03/);
  expect(said[2]).toContain('it now has said so itself');
  expect(said.filter((line) => line.startsWith('models/organism> '))).toHaveLength(3);
  expect(said.at(-1)).toMatch(/^models\/control> l3/); // what was begun is continued
});

it('tells what it cannot read, and goes on', () => {
  const { said, stderr, status } = talk(
    ['models/organism', '--tokens', '10'],
    ['/wrong 1', '/nope', 'Привет', PROBLEM],
  );
  expect(status).toBe(0);
  expect(stderr).toMatch(/ask something first.*\n.*no command \/nope.*\n.*not in the vocabulary/);
  expect(said.at(-1)).toMatch(/^models\/organism> l33/);
});
