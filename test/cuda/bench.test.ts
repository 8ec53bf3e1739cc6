import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../package/helpers.js';
import { emulated, reason, title } from './gpu.js';

const bench = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(process.execPath, ['benchmarks/gpu.mjs', ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });

describe.skipIf(reason !== '')(title('npm run bench:gpu'), () => {
  it('measures every kind of case beside cuDNN called directly, and leaves JSON and Markdown', async (context) => {
    const out = mkdtempSync(join(tmpdir(), 'cudnn-gru-bench-'));
    context.onTestFinished(() => rmSync(out, { recursive: true }));
    const raw = join(out, 'raw_cudnn');
    const { buildRawCudnn } = (await import(new URL('../../benchmarks/raw_cudnn.mjs', import.meta.url).href)) as {
      buildRawCudnn(program: string, options: { emulated: boolean }): void;
    };
    buildRawCudnn(raw, { emulated });
    // PyTorch is not what is tested here.
    const { status, stderr } = bench(['--tiny', '--raw', raw, '--out', out], { PYTHON: 'absent' });
    expect(stderr).toContain('forward + backward, 3×2×3→4');
    expect(status).toBe(0);
    const { results, missing } = JSON.parse(readFileSync(join(out, 'gpu.json'), 'utf8'));
    expect(missing).toEqual([expect.stringContaining('PyTorch')]);
    expect(results).toHaveLength(11);
    for (const { kind, precision, shape, ours, peers, errors } of results) {
      expect(errors).toEqual([]);
      expect(ours.median).toBeGreaterThan(0);
      if (kind === 'training step') {
        expect(ours.details.javascript).toBeGreaterThan(0);
        continue;
      }
      const names: string[] = peers[0].details.candidates.map(({ name }: { name: string }) => name);
      expect(names).toContain(peers[0].details.chosen);
      expect(names).toContain('STANDARD, unpacked');
      // The reset-before cell is held against STANDARD.
      expect(names.some((name) => name.startsWith('PERSIST'))).toBe(!shape.includes('reset before'));
      expect(names.some((name) => name.endsWith('default math'))).toBe(/float16$/.test(precision));
    }
    const markdown = readFileSync(join(out, 'gpu.md'), 'utf8');
    expect(markdown).toContain('| queued inference | 3×2×3→4 | float32 |');
    expect(markdown).toContain('| forward + backward | 3×2×3→4 | float32 | PERSIST_STATIC, unpacked |');
    expect(markdown).toContain('Missing: PyTorch');
  }, 300_000);

  it('begins no case when its seconds are over, and says what it left out', () => {
    const out = mkdtempSync(join(tmpdir(), 'cudnn-gru-bench-'));
    const { status, stdout } = bench(['--tiny', '--seconds', '0', '--out', out], { PYTHON: 'absent' });
    expect(stdout).toMatch(/Left out, 11 cases: queued inference 3×2×3→4 float32; .*/);
    expect(status).toBe(0);
    rmSync(out, { recursive: true });
  });

  it('without a GPU: one line of reason, and exit code 1', () => {
    const { status, stderr } = bench([], { CUDA_VISIBLE_DEVICES: '' });
    expect(stderr).toMatch(/^cudnn-gru: bench:gpu needs a GPU: .*CUDA_VISIBLE_DEVICES.*\n$/);
    expect(status).toBe(1);
  });
});
