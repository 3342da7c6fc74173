import { defineConfig } from 'vitest/config';

/** Tests that start whole machines. Two at a time: each takes one core. */
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: ['test/e2e/prepare.ts'],
    testTimeout: 600_000,
    hookTimeout: 900_000,
    maxWorkers: 2,
  },
});
