import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addon, requireBuilt, root, run, succeed } from './helpers.js';

const check = join(root, 'scripts/check-binary.mjs');

describe.skipIf(process.platform !== 'linux')('the built addon (Linux: objdump and nm)', () => {
  it('exports only the Node-API entry points and needs only the C library', () => {
    const { status, stdout, stderr } = run(process.execPath, [check, requireBuilt(addon)], root);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/glibc \d+\.\d+ or newer/);
    expect(status).toBe(0);
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

  // An inline function of a shared header, compiled in a file with AVX-512, may be the copy that the linker keeps for
  // everybody: the addon would then crash on older processors, far from any kernel.
  it('files compiled for an instruction set define no shared inline function', () => {
    const build = dirname(dirname(requireBuilt(addon)));
    const objects = readdirSync(build, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /simd_(avx2|avx512)\b.*\.o$/.test(name),
    );
    if (process.arch === 'x64') expect(objects.length).toBeGreaterThan(0);
    for (const object of objects) {
      const shared = succeed('nm', ['--demangle', '--defined-only', join(build, object)], root)
        .split('\n')
        .filter((line) => /^[0-9a-f]* ?[WVu] /.test(line) && !/simd_avx(2|512)::/.test(line));
      expect(shared, object).toEqual([]);
    }
  });
});
