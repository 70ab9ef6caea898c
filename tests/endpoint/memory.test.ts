import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('10,000 replies of 20 kB, 200 MB in all, are asked for and found again in a heap of 100 MB', () => {
  const words = ['--max-old-space-size=100', '--import', 'tsx', 'bench/endpoint.ts', 'memory', '10000', '20000'];
  const lines = execFileSync(process.execPath, words, { encoding: 'utf8' }).trim().split('\n').map((line) => JSON.parse(line));
  expect(lines.at(-2)).toMatchObject({ samples: 10_000, journal_mb: expect.toSatisfy((mb: number) => mb > 190) });
  expect(lines.at(-1)).toMatchObject({ cached: 1000 });
}); // biome-ignore format: one claim
