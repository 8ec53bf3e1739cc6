import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addon, requireBuilt, root, run } from './helpers.js';

const check = join(root, 'scripts/check-binary.mjs');

describe.skipIf(process.platform !== 'linux')('the built addon (Linux: objdump and nm)', () => {
  it('exports only the Node-API entry points and needs only the C library', () => {
    const { status, stdout, stderr } = run(process.execPath, [check, '--local', requireBuilt(addon)], root);
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
