import { defineConfig } from 'vitest/config';

/** Comparisons with other people's programs, which have to be installed: never part of `npm test`. */
export default defineConfig({
  // the examples of docs/ import the package by its name
  resolve: { alias: { unrut: new URL('../../src/index.ts', import.meta.url).pathname } },
  test: { include: ['tests/peers/**/*.peer.ts'], testTimeout: 600_000, hookTimeout: 600_000, fileParallelism: false },
});
