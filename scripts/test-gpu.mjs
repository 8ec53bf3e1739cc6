// What only a GPU can show: `npm run test:gpu [-- --quick]`. All suites on 'cuda', the tests of test/cuda on the real GPU, the golden values and our
// own kernels under NVIDIA's compute-sanitizer where it is installed. Tests that cannot run are counted with their reason; without a
// GPU that is all of them. --quick leaves the sanitizer out. Ends with one line of counts, as .ci/run does; further lines say what was skipped.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { devices } from '../dist/index.js';
import { gpuSteps, runStep } from './gpu-steps.mjs';

const quick = process.argv.includes('--quick');
const folder = mkdtempSync(join(tmpdir(), 'cudnn-gru-gpu-'));
const counts = { passed: 0, failed: 0, skipped: 0 };
const skips = new Map();
const skip = (reason, tests) => skips.set(reason, (skips.get(reason) ?? 0) + tests);

const gpu = devices().find(({ name }) => name.startsWith('cuda'));
console.log(`GPU: ${gpu?.available ? gpu.description : `none (${gpu?.reason})`}`);

const sanitizers = ['memcheck', 'racecheck'];
for (const step of gpuSteps({ out: folder }).filter(({ name }) => ['suites', 'gpu', ...sanitizers].includes(name))) {
  if (sanitizers.includes(step.name)) step.reason = gpu?.available ? (quick ? '--quick' : step.reason) : gpu?.reason;
  console.log(`== ${step.name}`);
  // As long as it takes.
  const { tests, skips: own = {}, reason } = await runStep(step, { folder, seconds: 24 * 3600, echo: true });
  if (tests) for (const name of Object.keys(counts)) counts[name] += tests[name];
  else {
    counts.skipped++;
    skip(`${step.name}: ${reason}`, 1);
  }
  for (const [why, count] of Object.entries(own)) skip(why, count);
}

rmSync(folder, { recursive: true, force: true });
for (const [reason, tests] of skips) console.log(`skipped ${tests}: ${reason}`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed === 0 ? 0 : 1);
