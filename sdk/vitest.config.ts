import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Real processes on a shared machine: generous, and never reached when all is well.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Two cores are shared with the other suites.
    maxWorkers: 2,
  },
});
