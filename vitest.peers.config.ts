import { defineConfig } from 'vitest/config';

// `npm run test:peers`: a process of Python takes seconds to load its framework, so one file at a time.
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 1,
    include: ['test/peers/**/*.peer.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
