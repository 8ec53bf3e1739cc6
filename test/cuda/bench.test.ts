import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../package/helpers.js';
import { reason, title } from './gpu.js';

const bench = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(process.execPath, ['benchmarks/gpu.mjs', ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });

describe.skipIf(reason !== '')(title('npm run bench:gpu'), () => {
  it('measures the kinds of calls and leaves JSON and Markdown', () => {
    const out = mkdtempSync(join(tmpdir(), 'cudnn-gru-bench-'));
    const { status, stderr } = bench(['--tiny', '--out', out]);
    expect(stderr).toContain('forward + backward, 3×2×3→4');
    expect(status).toBe(0);
    const { results } = JSON.parse(readFileSync(join(out, 'gpu.json'), 'utf8'));
    expect(results).toHaveLength(2);
    for (const { ours } of results) expect(ours.median).toBeGreaterThan(0);
    expect(readFileSync(join(out, 'gpu.md'), 'utf8')).toContain('| queued inference | 3×2×3→4 | float32 |');
    rmSync(out, { recursive: true });
  });

  it('without a GPU: one line of reason, and exit code 1', () => {
    const { status, stderr } = bench([], { CUDA_VISIBLE_DEVICES: '' });
    expect(stderr).toMatch(/^cudnn-gru: bench:gpu needs a GPU: .*CUDA_VISIBLE_DEVICES.*\n$/);
    expect(status).toBe(1);
  });
});
