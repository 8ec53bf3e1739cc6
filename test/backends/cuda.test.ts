import { describe, it } from 'vitest';
import { runSuites } from '../suites/all.js';
import { cudaBackend } from '../suites/backend.js';

// Every suite on the first GPU of this machine.
const backend = cudaBackend();
if (backend.available) runSuites(backend);
else
  describe(`cuda (skipped: ${backend.reason})`, () => {
    it('runs every suite', (context) => context.skip(backend.reason));
  });
