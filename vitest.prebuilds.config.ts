import { defineConfig } from 'vitest/config';

// The published package on every runtime that this machine can run or emulate: npm run prebuild:test
export default defineConfig({
  test: {
    include: ['test/prebuilds/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 3_600_000,
    hookTimeout: 1_200_000,
  },
});
