import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../package/helpers.js';

const library = (path: string) => JSON.stringify(new URL(`../../dist/${path}`, import.meta.url).href);

// Enqueues a second of work, ends at once, and asks in a later exit handler what is still going on.
const program = (device: string, end: string) => `
  import { noGrad, randn } from ${library('index.js')};
  import { addon } from ${library('native/load.js')};
  import { deviceOf } from ${library('tensor/device.js')};
  const device = ${JSON.stringify(device)};
  // Below and above what is read without the queue.
  const [small, large] = [randn([10], { device }), randn([600, 600], { device })];
  large.dataSync();
  let x = randn([1000, 1000], { device });
  for (let i = 0; i < 200; i++) x = x.tanh().matmul(x);
  process.on('exit', () => {
    console.log(addon.pending(deviceOf(device).index));
    for (const made of [() => x, () => small, () => large, () => small.mul(2)]) {
      try {
        console.log(made().dataSync().length);
      } catch ({ code }) {
        console.log(code);
      }
    }
  });
  ${end};`;

const emulated = join(root, 'build/emulated/Release/cudnn_gru.node');
const reason = existsSync(emulated) ? '' : ' (skipped: not built: npm run build:emulated)';

describe.each([
  ['cpu', '', {}, ['10', '360000', '10']],
  ['cuda', reason, { CUDNN_GRU_ADDON: emulated }, ['ERR_ABORTED', 'ERR_ABORTED', 'ERR_ABORTED']],
])('a process that ends while %s works%s', (device, skipped, env, later) => {
  it.skipIf(skipped !== '').each([
    ['process.exit()', 'process.exit(7)', 7],
    ['an exception that nobody catches', 'throw new Error("uncaught")', 1],
    ['the end of the program', '', 0],
  ])('by %s: no queue goes on, what waited is an error, and the CPU still answers', (_, end, code) => {
    const { status, signal, stdout } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', program(device, end)],
      { encoding: 'utf8', env: { ...process.env, ...env } },
    );
    expect({ status, signal, lines: stdout.trim().split('\n') }).toEqual({
      status: code,
      signal: null,
      lines: ['0', 'ERR_ABORTED', ...later],
    });
  });
});
