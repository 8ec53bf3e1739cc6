import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const folder = fileURLToPath(new URL('.', import.meta.url));
const headers = join(folder, '../../../.cache/cuda-toolkit/nvidia/cu13/include');

it('the emulated GPU finds what is wrong with wrong kernels', (context) => {
  if (!existsSync(headers)) return context.skip("no NVIDIA headers: 'npm run cuda:toolkit' installs them");
  const work = mkdtempSync(join(tmpdir(), 'emulation-'));
  try {
    const program = join(work, 'faults');
    const sources = ['faults.cc', 'grid.cc'].map((name) => join(folder, name));
    const options = ['-std=c++17', '-O1', '-Wall', '-Wextra', '-Werror', `-I${folder}`, `-isystem${headers}`];
    execFileSync(process.env.CXX ?? 'c++', [...options, ...sources, '-o', program]);
    const lines = execFileSync(program, { encoding: 'utf8' }).trim().split('\n');
    expect(lines).toHaveLength(9);
    expect(lines.filter((line) => !line.endsWith(': ok'))).toEqual([]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
});
