import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DeviceReport } from '../../lib/index.js';
import { addon, requireBuilt, root, run, succeed } from './helpers.js';

const check = join(root, 'scripts/check-binary.mjs');

describe.skipIf(process.platform !== 'linux')('the built addon (Linux: objdump and nm)', () => {
  it('exports only the Node-API entry points and needs only the C library, no library of NVIDIA', () => {
    const { status, stdout, stderr } = run(process.execPath, [check, '--local', requireBuilt(addon)], root);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/glibc \d+\.\d+ or newer/);
    expect(status).toBe(0);
  });

  it('holds the CUDA backend where there is a toolkit, and says what the machine lacks', (context) => {
    if (process.env.CUDNN_GRU_ADDON) return context.skip('CUDNN_GRU_ADDON names another build');
    if (!existsSync(join(root, '.cache/cuda-toolkit'))) return context.skip('no toolkit: npm run cuda:toolkit');
    const script = `const devices = require(${JSON.stringify(requireBuilt(addon))}).devices();
      console.log(JSON.stringify(devices.filter((device) => device.name.startsWith('cuda'))));`;
    const reports = JSON.parse(succeed(process.execPath, ['-e', script], root)) as DeviceReport[];
    expect(reports.length).toBeGreaterThan(0);
    for (const { available, reason } of reports) {
      expect(reason).not.toContain('built without CUDA');
      if (!available) expect(reason).toMatch(/install|CUDA_VISIBLE_DEVICES|too old/);
    }
  });

  it('the check refuses a binary that exports or needs anything else', () => {
    const biome = readdirSync(join(root, 'node_modules/@biomejs')).find((name) => name.startsWith('cli-')) as string;
    const { status, stderr } = run(
      process.execPath,
      [check, join(root, 'node_modules/@biomejs', biome, 'biome')],
      root,
    );
    expect(stderr).toContain('does not export napi_register_module_v1');
    expect(status).toBe(1);
  });

  it('files compiled for an instruction set define no shared inline function', () => {
    const build = dirname(dirname(requireBuilt(addon)));
    const { status, stdout, stderr } = run(
      process.execPath,
      [join(root, 'scripts/check-simd-objects.mjs'), build],
      root,
    );
    expect(stderr).toBe('');
    if (process.arch === 'x64') expect(Number(/^(\d+) objects/.exec(stdout)?.[1])).toBeGreaterThan(0);
    expect(status).toBe(0);
  });
});
