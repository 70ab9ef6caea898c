import { defineConfig } from 'vitest/config';

export default defineConfig({
  // the examples of docs/ import the package by its name
  resolve: { alias: { unrut: new URL('./src/index.ts', import.meta.url).pathname } },
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: ['tests/peers/**'],
    reporters: ['default', './tests/reporter.ts'],
    // far above what any of them takes on two idle cores, for machines that are busy with other things
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // training on two cores beside another test file would make both slow and neither steady
    fileParallelism: false,
  },
});
