import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('a log of 10,000 conversations of 20 kB, 200 MB in all, is written, paged and searched in a heap of 100 MB', () => {
  const words = ['--max-old-space-size=100', '--import', 'tsx', 'bench/records.ts', 'all', '10000', '20000'];
  const lines = execFileSync(process.execPath, words, { encoding: 'utf8' }).trim().split('\n').map((line) => JSON.parse(line));
  expect(lines.map(({ what }) => what)).toEqual([
    ...['write 10000 samples', 'list of runs', 'first page', 'a later page', 'filtered', 'one transcript'],
    'search to the end',
  ]);
}); // biome-ignore format: one claim
