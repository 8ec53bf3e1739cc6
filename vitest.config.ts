import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const fromRoot = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Tests that measure time or memory, or start several processes, run one file at a time after all others.
const alone = ['test/lifetime/**/*.test.ts', 'test/package/**/*.test.ts'];

export default defineConfig({
  resolve: {
    // The library under its public name, but from its sources: one instance in a test, and no stale build.
    alias: { 'cudnn-gru': fromRoot('lib/index.ts') },
  },
  test: {
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'main',
          include: ['test/**/*.test.ts'],
          exclude: [...alone, 'test/prebuilds/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
