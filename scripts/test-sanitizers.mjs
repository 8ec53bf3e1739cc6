// The native code under the compiler's sanitizers: `npm run test:sanitizers [-- address|thread]`.
//
// address: the addon with the address and undefined-behaviour sanitizers, all backend suites and the tests of queue and worker threads.
// thread:  the addon with the thread sanitizer, the GRU and linear suites and the same tests; and the stress programs of test/native.
//
// Node itself is built without: the sanitizer's runtime is preloaded. Leaks are not looked for, since V8 frees nothing when it ends
// (test/lifetime/memory.test.ts watches our memory). V8 synchronises in ways that the thread sanitizer cannot see; so a report without any frame
// of the addon is counted, not failed. (TSan's own suppressions would not do: they match any frame, and JavaScript's are below all of ours.)
//
// Ends with one line of counts; fails on any report, failed test or failed build.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lifetime = ['test/lifetime/queue.test.ts', 'test/lifetime/worker_threads.test.ts'];
const builds = {
  address: {
    flags: 'address,undefined',
    runtimes: ['libasan.so', 'libubsan.so'],
    tests: [['test/backends', ...lifetime]],
    programs: [],
  },
  thread: {
    flags: 'thread',
    runtimes: ['libtsan.so'],
    // What is shared among threads is the same in every instruction set.
    tests: [['test/backends/cpu_avx2.test.ts', '-t', 'gru|linear'], lifetime],
    programs: ['team_stress', 'queue_stress'],
  },
};
const stressed = [
  'cpu/signal',
  'cpu/thread_team',
  'platform/cpus',
  'platform/control_group',
  'device/queue',
  'device/device',
  'device/buffer',
];

const work = mkdtempSync(join(tmpdir(), 'sanitizers-'));
const counts = { passed: 0, failed: 0, skipped: 0, programs: 0, reports: 0, elsewhere: 0 };
const problems = [];

function run(command, args, env = {}) {
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (error) throw error;
  if (status !== 0) problems.push(`${[command, ...args].join(' ')}: ${signal ?? `exit ${status}`}`);
  return status === 0;
}

function compiler() {
  return process.env.CXX ?? 'c++';
}

function runtime(name) {
  return spawnSync(compiler(), [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout.trim();
}

function sanitizerOptions(log) {
  return {
    ASAN_OPTIONS: `detect_leaks=0:log_path=${log}`,
    // It writes to the standard error only: ending the process fails the tests.
    UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
    TSAN_OPTIONS: `exitcode=0:log_path=${log}`,
  };
}

/** Every report in the logs; all but those of `own` are only counted. */
function readReports(folder, own) {
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), 'utf8');
    const reports = text.split(/^(?==+\d*=*\s*ERROR: |WARNING: ThreadSanitizer|.*: runtime error: )/m);
    for (const report of reports.filter((part) =>
      /ERROR: |WARNING: ThreadSanitizer|runtime error: |DEADLYSIGNAL/.test(part),
    )) {
      if (own(report)) {
        counts.reports++;
        console.error(report);
      } else {
        counts.elsewhere++;
      }
    }
  }
}

function newFolder(name) {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

function runTests(name, addon, runtimes, tests, index) {
  const logs = newFolder(`${name}-logs-${index}`);
  const results = join(work, `${name}-${index}.json`);
  run(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      ...tests,
      '--reporter=dot',
      '--reporter=json',
      `--outputFile.json=${results}`,
      '--testTimeout=300000',
    ],
    {
      ...sanitizerOptions(join(logs, 'log')),
      LD_PRELOAD: runtimes.map(runtime).join(':'),
      CUDNN_GRU_ADDON: addon,
    },
  );
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(results, 'utf8'));
  counts.passed += numPassedTests;
  counts.failed += numFailedTests;
  counts.skipped += numPendingTests;
  readReports(logs, (report) => !report.includes('ThreadSanitizer') || report.includes('cudnn_gru.node'));
}

function runProgram(name, flags) {
  const logs = newFolder(`${name}-logs`);
  const program = join(work, name);
  const sources = stressed.map((source) => `native/${source}.cc`);
  const options = ['-std=c++17', '-O1', '-g', '-Wall', '-Wextra', `-fsanitize=${flags}`, '-Inative', '-pthread'];
  if (!run(compiler(), [...options, `test/native/${name}.cc`, ...sources, '-o', program])) return;
  if (run(program, [], sanitizerOptions(join(logs, 'log')))) counts.programs++;
  readReports(logs, () => true);
}

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !(name in builds));
if (unknown) throw new Error(`'${unknown}': expected ${Object.keys(builds).join(' or ')}`);
try {
  for (const [name, { flags, runtimes, tests, programs }] of Object.entries(builds)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    const out = `build/sanitize-${name}`;
    console.log(`== ${flags}`);
    if (!run(process.execPath, ['scripts/build-native.mjs', '--out', out, `--CDCUDNN_GRU_SANITIZE=${flags}`])) continue;
    for (const program of programs) runProgram(program, flags);
    const addon = join(root, out, 'Release', 'cudnn_gru.node');
    for (const [index, files] of tests.entries()) runTests(name, addon, runtimes, files, index);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
for (const problem of problems) console.error(problem);
console.log(
  `sanitizers: ${counts.passed} tests passed, ${counts.failed} failed, ${counts.skipped} skipped; ${counts.programs} stress programs passed; ` +
    `${counts.reports} reports, ${counts.elsewhere} of Node itself`,
);
process.exitCode = problems.length === 0 && counts.reports === 0 && counts.failed === 0 && counts.passed > 0 ? 0 : 1;
