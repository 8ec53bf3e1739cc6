import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../package/helpers.js';

// What the tests of this folder run on: the emulated GPU (test/native/cuda_emulation), which says nothing about a real one; or with
// CUDNN_GRU_TEST_GPU=1, as `npm run test:gpu` sets it, the GPU of this machine.
export const emulated = process.env.CUDNN_GRU_TEST_GPU !== '1';

async function find(): Promise<string> {
  if (!emulated) {
    const { devices } = await import('../../lib/index.js');
    return devices().find(({ name }) => name.startsWith('cuda'))?.reason ?? 'this build knows no CUDA';
  }
  const addon = join(root, 'build/emulated/Release/cudnn_gru.node');
  if (process.env.CUDNN_GRU_ADDON) return 'CUDNN_GRU_ADDON names another build';
  if (!existsSync(addon)) return 'not built: npm run cuda:toolkit && npm run build:emulated';
  // Read when the addon is loaded, so before anything that may load it; child processes and workers inherit it.
  process.env.CUDNN_GRU_ADDON = addon;
  return '';
}

/** Why the tests cannot run; empty when they can. Awaited before the library is imported. */
export const reason = await find();

/** The name under which a file's tests are counted. */
export const title = (subject: string) =>
  `${subject}, ${emulated ? 'emulated GPU' : 'GPU'}${reason && ` (skipped: ${reason})`}`;

/** Workers and child processes run the compiled package, as a user's would. */
export const entry = new URL('../../dist/index.js', import.meta.url).href;

/** Runs a module in a process of its own, with these environment variables besides ours. */
export function child(script: string, env: NodeJS.ProcessEnv) {
  const args = ['--input-type=module', '-e', script];
  return spawnSync(process.execPath, args, { cwd: root, env: { ...process.env, ...env }, encoding: 'utf8' });
}
