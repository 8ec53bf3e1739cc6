import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const entry = new URL('../../dist/index.js', import.meta.url).href;
const script = fileURLToPath(new URL('./team_speed.mjs', import.meta.url));
const cpus = availableParallelism();
const several = Math.max(2, cpus);

interface Speed {
  inference: number;
  training: number;
  idle: number;
}

/** A team that waits for itself would not end: the process has a minute for its ten seconds of work. */
async function speed(threads: number, workers = 1, prefix: string[] = []): Promise<Speed> {
  const command = [...prefix, process.execPath, script, entry, String(threads), String(workers)];
  const { stdout } = await promisify(execFile)(command[0] as string, command.slice(1), { timeout: 60_000 });
  return JSON.parse(stdout) as Speed;
}

function expectNoHarm({ inference, training, idle }: Speed): void {
  expect(inference).toBeLessThan(1.5);
  expect(training).toBeLessThan(1.5);
  expect(idle).toBeLessThan(0.05);
}

async function besideBusyNeighbours<T>(run: () => Promise<T>): Promise<T> {
  const neighbours: ChildProcess[] = Array.from({ length: cpus }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  );
  try {
    return await run();
  } finally {
    for (const neighbour of neighbours) neighbour.kill('SIGKILL');
  }
}

/** A control group with a quota of half a CPU, or why there can be none. */
function makeHalfCpuGroup(): { folder: string } | { reason: string } {
  const name = `cudnn-gru-test-${process.pid}`;
  const groups = readFileSync('/proc/self/cgroup', 'utf8');
  const version2 = `/sys/fs/cgroup${/^0::(.*)$/m.exec(groups)?.[1]?.replace(/\/$/, '') ?? ''}/${name}`;
  const version1 = `/sys/fs/cgroup/cpu/${name}`;
  const limits = [
    [version1, 'cpu.cfs_quota_us', '50000'],
    [version2, 'cpu.max', '50000 100000'],
  ] as const;
  let reason = '';
  for (const [folder, file, limit] of limits) {
    try {
      mkdirSync(folder);
    } catch (error) {
      reason = String(error);
      continue;
    }
    try {
      writeFileSync(`${folder}/${file}`, limit);
      return { folder };
    } catch (error) {
      reason = String(error);
      rmdirSync(folder);
    }
  }
  return { reason };
}

// Tried again when it fails: the machine may have been taken away in the middle of a measurement.
describe('a team of threads is never much slower than one thread, and sleeps when idle', { retry: 2 }, () => {
  it.each([8, 64])('with more threads than CPUs: %i', async (threads) => {
    expectNoHarm(await speed(threads));
  });

  it('with a busy neighbour on each CPU', async () => {
    expectNoHarm(await besideBusyNeighbours(() => speed(several)));
  });

  it('with a team for each of three worker threads', async () => {
    expectNoHarm(await speed(several, 3));
  });

  it('with a quota of half a CPU', async (context) => {
    const group = process.platform === 'linux' ? makeHalfCpuGroup() : { reason: 'control groups are of Linux' };
    if ('reason' in group) return context.skip(`no control group: ${group.reason}`);
    const { folder } = group;
    try {
      expectNoHarm(await speed(several, 1, ['sh', '-c', `echo $$ > ${folder}/cgroup.procs && exec "$@"`, 'sh']));
    } finally {
      rmdirSync(folder);
    }
  });
});
