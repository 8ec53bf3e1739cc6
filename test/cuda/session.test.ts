import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../package/helpers.js';
import { emulated, reason, title } from './gpu.js';

// scripts/gpu-session.mjs and the steps it runs.
interface StepResult {
  name: string;
  status: string;
  seconds: number;
  reason: string;
  tests?: { passed: number; failed: number; skipped: number };
}

const out = mkdtempSync(join(tmpdir(), 'cudnn-gru-session-'));
afterAll(() => rmSync(out, { recursive: true, force: true }));

const session = (folder: string, args: string[], env: NodeJS.ProcessEnv = {}) => {
  const command = ['scripts/gpu-session.mjs', '--out', join(out, folder), ...args];
  const { CUDNN_GRU_ADDON: _, ...inherited } = process.env;
  const { status, stderr } = spawnSync(process.execPath, command, {
    cwd: root,
    env: { ...inherited, ...env },
    encoding: 'utf8',
  });
  const summary = join(out, folder, 'summary.json');
  const steps: StepResult[] = existsSync(summary) ? JSON.parse(readFileSync(summary, 'utf8')).steps : [];
  return { status, stderr, steps };
};

describe('a session on a GPU', () => {
  it('without a GPU: the doctor says why, everything else is skipped for that reason', () => {
    const { status, steps } = session('none', [], { CUDA_VISIBLE_DEVICES: '' });
    expect(status).toBe(1);
    expect(steps.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'doctor passed',
      ...['golden', 'suites', 'gpu', 'bench-quick', 'bench', 'tune', 'memcheck', 'racecheck'].map(
        (name) => `${name} skipped`,
      ),
    ]);
    for (const { name, reason } of steps)
      if (name !== 'doctor' && !/check/.test(name)) expect(reason).toMatch(/^no GPU: /);
    expect(readFileSync(join(out, 'none/doctor.log'), 'utf8')).toContain('not available');
    expect(readFileSync(join(out, 'none/summary.md'), 'utf8')).toMatch(/\| golden \| skipped \| 0 \| – .* no GPU: /);
  });

  it('names its steps when asked for others', () => {
    const { status, stderr } = session('unknown', ['--only', 'tests']);
    expect(status).toBe(2);
    expect(stderr).toContain('steps are doctor, golden, suites');
  });

  it('a step that does not end is stopped with what it started; one that fails and one that cannot start are told', async () => {
    const { runStep } = (await import(new URL('../../scripts/gpu-steps.mjs', import.meta.url).href)) as {
      runStep(step: object, options: { folder: string; seconds?: number }): Promise<StepResult>;
    };
    const step = (name: string, ...command: string[]) => ({ name, limit: 30, command });
    const shell = (name: string, script: string) => step(name, 'sh', '-c', script);
    expect(await runStep(shell('slow', 'echo begun; sleep 300'), { folder: out, seconds: 3 })).toMatchObject({
      status: 'out of time',
      reason: 'stopped after 3 s',
    });
    expect(readFileSync(join(out, 'slow.log'), 'utf8')).toBe('begun\n');
    expect(await runStep(shell('wrong', 'exit 7'), { folder: out })).toMatchObject({
      status: 'failed',
      reason: 'exit code 7',
    });
    expect(await runStep(step('absent', join(out, 'absent')), { folder: out })).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('ENOENT'),
    });
  });

  it.skipIf(reason !== '' || !emulated)(
    title('runs its steps and counts tests'),
    () => {
      const { status, steps } = session('emulated', ['--emulated', '--only', 'doctor,golden,bench-quick,memcheck']);
      expect(steps.filter(({ status }) => status !== 'skipped').map(({ name, status }) => `${name} ${status}`)).toEqual(
        ['doctor passed', 'golden passed', 'bench-quick passed'],
      );
      expect(steps[1]?.tests?.passed).toBeGreaterThan(20);
      expect(steps[1]?.tests?.skipped).toBe(0);
      expect(steps.find(({ name }) => name === 'memcheck')?.reason).toBe('the GPU is emulated');
      expect(existsSync(join(out, 'emulated/bench-quick/gpu.md'))).toBe(true);
      expect(status).toBe(0);
    },
    300_000,
  );
});
