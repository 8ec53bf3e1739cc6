// What only a GPU can show: `npm run test:gpu [-- --quick]`. All suites on 'cuda', the tests of test/cuda on the real GPU, the golden values and our
// own kernels under NVIDIA's compute-sanitizer where it is installed. Tests that cannot run are counted with their reason; without a
// GPU that is all of them. --quick leaves the sanitizer out. Ends with one line of counts, as .ci/run does; further lines say what was skipped.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { devices } from '../dist/index.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const quick = process.argv.includes('--quick');
const work = mkdtempSync(join(tmpdir(), 'cudnn-gru-gpu-'));
const counts = { passed: 0, failed: 0, skipped: 0 };
const skips = new Map();

const skip = (reason, tests) => {
  counts.skipped += tests;
  skips.set(reason, (skips.get(reason) ?? 0) + tests);
};

/** vitest on some files, behind another program or none; false if it did not end well. */
function run(name, files, { before = [], env = {} } = {}) {
  const report = join(work, `${name}.json`);
  const [program, ...args] = [...before, process.execPath, vitest, 'run', ...files];
  console.log(`== ${name}`);
  const { status } = spawnSync(
    program,
    [...args, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, CUDNN_GRU_TEST_GPU: '1', ...env },
    },
  );
  const found = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { testResults: [], numFailedTests: 1 };
  counts.passed += found.numPassedTests ?? 0;
  // A file that could not be loaded, and a program in front that found something, are one failure each.
  const failed = found.numFailedTests || (status === 0 ? 0 : 1);
  counts.failed += failed;
  for (const test of found.testResults.flatMap((file) => file.assertionResults)) {
    if (test.status === 'passed' || test.status === 'failed') continue;
    skip(
      /\(skipped: (.*?)\)(?: |$)/.exec(test.fullName)?.[1] ?? `see ${name}: ${test.ancestorTitles[0] ?? test.title}`,
      1,
    );
  }
}

function findSanitizer() {
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/local/cuda/bin',
    '/usr/local/cuda/compute-sanitizer',
  ];
  return folders.map((folder) => join(folder, 'compute-sanitizer')).find(existsSync);
}

const gpu = devices().find(({ name }) => name.startsWith('cuda'));
console.log(`GPU: ${gpu?.available ? gpu.description : `none (${gpu?.reason})`}`);

run('suites', ['test/backends/cuda.test.ts']);
run('gpu', ['test/cuda/gru_methods.test.ts', 'test/cuda/training.test.ts', 'test/cuda/failures.test.ts']);

const sanitizer = findSanitizer();
for (const [tool, pattern] of [
  ['memcheck', 'golden'],
  ['racecheck', 'arithmetic|losses|ctc|optimizers|sequences|layers|resetBefore'],
]) {
  const reason = !gpu?.available
    ? gpu?.reason
    : quick
      ? '--quick'
      : sanitizer
        ? ''
        : 'compute-sanitizer is not installed';
  if (reason) skip(`${tool}: ${reason}`, 1);
  else
    run(tool, ['test/backends/cuda.test.ts', '-t', pattern, '--testTimeout=600000'], {
      before: [sanitizer, '--tool', tool, '--target-processes', 'all', '--error-exitcode', '3'],
    });
}

rmSync(work, { recursive: true, force: true });
for (const [reason, tests] of skips) console.log(`skipped ${tests}: ${reason}`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed === 0 ? 0 : 1);
