import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DeviceReport } from '../../lib/index.js';
import { addon, requireBuilt, root, run, succeed } from './helpers.js';

const check = join(root, 'scripts/check-binary.mjs');

/** What each part of an addon's GPU code is: 'sm_75', 'ptx_120'; and whether all parts are compressed. */
function gpuCode(binary: Buffer): { parts: string[]; compressed: boolean } {
  const parts: string[] = [];
  let compressed = true;
  const magic = Buffer.from('50ed55ba', 'hex');
  let end = 0;
  for (let at = binary.indexOf(magic); at >= 0; at = binary.indexOf(magic, end)) {
    end = at + binary.readUInt16LE(at + 6) + Number(binary.readBigUInt64LE(at + 8));
    expect(end).toBeGreaterThan(at);
    let part = at + binary.readUInt16LE(at + 6);
    while (part < end) {
      parts.push(`${binary.readUInt16LE(part) === 1 ? 'ptx' : 'sm'}_${binary.readUInt32LE(part + 28)}`);
      compressed &&= (binary.readUInt32LE(part + 40) & 0x8000) !== 0;
      const size = binary.readUInt32LE(part + 4) + Number(binary.readBigUInt64LE(part + 8));
      expect(size).toBeGreaterThan(0);
      part += size;
    }
  }
  return { parts, compressed };
}

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

  it('holds every kernel for compute capabilities 7.5 to 12.0, and as PTX for those to come, compressed', (context) => {
    if (process.env.CUDNN_GRU_ADDON) return context.skip('CUDNN_GRU_ADDON names another build');
    if (!existsSync(join(root, '.cache/cuda-toolkit'))) return context.skip('no toolkit: npm run cuda:toolkit');
    const { parts, compressed } = gpuCode(readFileSync(requireBuilt(addon)));
    const files = readdirSync(join(root, 'native/cuda/kernels')).filter((name) => name.endsWith('.cu')).length;
    const expected = ['ptx_100', 'ptx_120', ...[75, 80, 86, 89, 90, 100, 120].map((capability) => `sm_${capability}`)];
    expect([...new Set(parts)].sort()).toEqual(expected.sort());
    expect(parts).toHaveLength(files * expected.length);
    expect(compressed).toBe(true);
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
