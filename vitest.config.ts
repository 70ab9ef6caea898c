import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['tests/**/*.test.ts'], exclude: ['tests/peers/**'], testTimeout: 120_000, fileParallelism: false },
});
