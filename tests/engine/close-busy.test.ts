import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('closes 20 times while workers are inside the executor, and the process lives', () => {
  const words = ['--import', 'tsx', 'tests/engine/close-busy.ts'];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toBe('the engine was closed before this run was finished\n'.repeat(20));
});
