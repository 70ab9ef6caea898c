import { defineConfig } from 'vitest/config';

export default defineConfig({
  // the examples of docs/ import the package by its name
  resolve: { alias: { unrut: new URL('./src/index.ts', import.meta.url).pathname } },
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: ['tests/peers/**'],
    reporters: ['default', './tests/reporter.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // training on two cores beside another test file would make both slow and neither steady
    fileParallelism: false,
  },
});
