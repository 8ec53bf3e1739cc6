import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';

// The CUDA backend's own sources on a GPU that is emulated on the CPU (test/native/cuda_emulation): says that its kernels and their callers
// compute the right thing, nothing about a GPU, its compiler or NVIDIA's libraries.
const addon = fileURLToPath(new URL('../../build/emulated/Release/cudnn_gru.node', import.meta.url));
const reason = process.env.CUDNN_GRU_ADDON
  ? 'CUDNN_GRU_ADDON names another build'
  : existsSync(addon)
    ? ''
    : 'not built: npm run cuda:toolkit && npm run build:emulated';

if (reason === '') {
  // Read when the addon is loaded, so before anything that may load it.
  process.env.CUDNN_GRU_ADDON = addon;
  const { cudaEmulatedBackend } = await import('../suites/backend.js');
  const { runSuites } = await import('../suites/all.js');
  runSuites(cudaEmulatedBackend());
} else {
  describe('cuda, emulated', () => {
    it('runs every suite', (context) => context.skip(reason));
  });
}
