// What test-gpu.mjs and gpu-session.mjs run on a GPU: steps, each a process with a time limit and a log, that never stop the next one.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node = process.execPath;
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const emulatedAddon = join(root, 'build/emulated/Release/cudnn_gru.node');
// In a command: the time that a program has, less what it takes to end.
const secondsLeft = '{seconds}';
const gpuTests = ['gru_methods', 'gru_limits', 'training', 'failures'].map((name) => `test/cuda/${name}.test.ts`);

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {number} limit seconds
 * @property {string[]} command
 * @property {boolean} [tests] it is vitest, so that tests are counted
 * @property {Record<string, string>} [env]
 * @property {string} [reason] why it cannot run
 */

/** NVIDIA's compute-sanitizer; undefined where it is not installed. */
export function findSanitizer() {
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/local/cuda/bin',
    '/usr/local/cuda/compute-sanitizer',
  ];
  return folders.map((folder) => join(folder, 'compute-sanitizer')).find(existsSync);
}

/**
 * The steps by name, in the order of docs/gpu-verified.md. `emulated`: the same on the GPU that is emulated on the CPU, to see without a
 * GPU whether the steps run.
 * @returns {Step[]}
 */
export function gpuSteps({ out, sanitizer = findSanitizer(), emulated = false }) {
  const suites = emulated ? 'test/backends/cuda_emulated.test.ts' : 'test/backends/cuda.test.ts';
  const addon = emulated ? { CUDNN_GRU_ADDON: emulatedAddon } : {};
  const test = (name, limit, args, before = []) => ({
    name,
    limit,
    command: [...before, node, vitest, 'run', ...args],
    env: emulated ? {} : { CUDNN_GRU_TEST_GPU: '1' },
    tests: true,
  });
  const program = (name, limit, ...args) => ({ name, limit, command: [node, ...args], env: addon });
  const bench = (name, limit, ...args) => {
    const options = [...args, emulated ? '--tiny' : '', '--seconds', secondsLeft, '--out', join(out, name)];
    return program(name, limit, 'benchmarks/gpu.mjs', ...options.filter(Boolean));
  };
  const sanitized = (name, limit, pattern) => {
    const before = [sanitizer ?? '', '--tool', name, '--target-processes', 'all', '--error-exitcode', '3'];
    const step = test(name, limit, [suites, '-t', pattern, '--testTimeout=600000'], before);
    const reason = emulated ? 'the GPU is emulated' : sanitizer ? undefined : 'compute-sanitizer is not installed';
    return { ...step, reason };
  };
  return [
    program('doctor', 60, 'dist/cli/main.js', 'doctor'),
    test('golden', 120, [suites, '-t', 'golden']),
    test('suites', 420, [suites]),
    test('gpu', 300, gpuTests),
    bench('bench-quick', 90, '--quick'),
    bench('bench', 300),
    {
      ...program('tune', 60, 'dist/cli/main.js', 'doctor', '--tune'),
      reason: emulated ? 'too large without a GPU' : '',
    },
    sanitized('memcheck', 600, 'golden'),
    sanitized('racecheck', 600, 'arithmetic|losses|ctc|optimizers|sequences|layers|resetBefore'),
  ];
}

/**
 * Runs a step in at most `seconds`; what it prints goes into `log` (and to this process's output where `echo`). Its process group is killed at the limit.
 * @returns {Promise<{name: string, status: 'passed' | 'failed' | 'out of time' | 'skipped', seconds: number, reason: string,
 *   tests?: {passed: number, failed: number, skipped: number}, skips?: Record<string, number>}>}
 */
export async function runStep(step, { folder, seconds = step.limit, echo = false }) {
  const { name } = step;
  if (step.reason) return { name, status: 'skipped', seconds: 0, reason: step.reason };
  const report = join(folder, `${name}.json`);
  rmSync(report, { force: true }); // of an earlier run
  const command = step.command.map((part) =>
    part === secondsLeft ? String(Math.max(1, Math.floor(seconds - 20))) : part,
  );
  const [program, ...args] = step.tests
    ? [...command, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    : command;
  const log = openSync(join(folder, `${name}.log`), 'w');
  const start = performance.now();
  const env = { ...process.env, NO_COLOR: '1', ...step.env };
  const child = spawn(program, args, {
    cwd: root,
    env,
    stdio: ['ignore', echo ? 'inherit' : log, echo ? 'inherit' : log],
    detached: !echo, // a group of its own, which a terminal's Ctrl-C would not reach
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    process.kill(echo ? child.pid : -child.pid, 'SIGKILL');
  }, 1000 * seconds);
  const ended = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) =>
      resolve(code === 0 ? '' : signal ? `ended by ${signal}` : `exit code ${code}`),
    );
  });
  clearTimeout(timer);
  closeSync(log);
  const reason = late ? `stopped after ${Math.round(seconds)} s` : ended;
  const result = {
    name,
    status: late ? 'out of time' : reason ? 'failed' : 'passed',
    seconds: (performance.now() - start) / 1000,
    reason,
  };
  return step.tests ? { ...result, ...countTests(report, step, reason) } : result;
}

/** Tests of a report of vitest; a file that could not be loaded, and a program in front that found something, are one failure each. */
function countTests(report, { name, command }, reason) {
  const found = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { testResults: [] };
  const asked = command.includes('-t') ? new RegExp(command[command.indexOf('-t') + 1]) : undefined;
  const skips = {};
  for (const test of found.testResults.flatMap((file) => file.assertionResults)) {
    if (test.status === 'passed' || test.status === 'failed') continue;
    if (asked && !asked.test(test.fullName)) continue; // which vitest calls skipped, too
    const why = /\(skipped: (.*?)\)(?: |$)/.exec(test.fullName)?.[1];
    const key = why ?? `see ${name}: ${test.ancestorTitles[0] ?? test.title}`;
    skips[key] = (skips[key] ?? 0) + 1;
  }
  const skipped = Object.values(skips).reduce((sum, count) => sum + count, 0);
  const failed = found.numFailedTests || (reason ? 1 : 0);
  return { tests: { passed: found.numPassedTests ?? 0, failed, skipped }, skips };
}
