import { defineConfig } from 'vitest/config';

/** Tests that start whole machines. Two at a time: each takes one core. */
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: ['test/e2e/prepare.ts'],
    testTimeout: 1_500_000,
    hookTimeout: 1_500_000,
    // An emulated machine on a busy host may miss a time limit of its own: once more, then it counts.
    retry: 1,
    maxWorkers: 2,
  },
});
