// Everything that docs/gpu-verified.md wants seen on a GPU, in one command for a machine that is there for a short time:
//   node scripts/gpu-session.mjs --out results/h200 [--minutes 9] [--only doctor,golden] [--without bench]
// Nothing is built: that is done beforehand, elsewhere. Each step has a time limit, the next one begins whatever came of it, and none begins when
// the minutes are over. The folder gets a log of each step, and after each step anew summary.json and summary.md: passed, failed, skipped, seconds.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gpuSteps, runStep } from './gpu-steps.mjs';

const { values: options } = parseArgs({
  options: {
    out: { type: 'string' },
    minutes: { type: 'string', default: '60' },
    only: { type: 'string', default: '' },
    without: { type: 'string', default: '' },
    emulated: { type: 'boolean', default: false },
  },
});
if (!options.out) {
  console.error('cudnn-gru: --out names the folder for logs and the summary');
  process.exit(2);
}
const out = resolve(options.out);
const minutes = Number(options.minutes);
const end = performance.now() + 60_000 * minutes;
const [only, without] = [options.only, options.without].map((list) => list.split(',').filter(Boolean));
const steps = gpuSteps({ out, emulated: options.emulated });
const unknown = [...only, ...without].filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0 || !(minutes > 0)) {
  console.error(`cudnn-gru: steps are ${steps.map(({ name }) => name).join(', ')}; minutes a number above 0`);
  process.exit(2);
}
mkdirSync(out, { recursive: true });
// Ours by default: what is measured here stays with the results, and nothing of an earlier run is followed.
rmSync(join(out, 'choices'), { recursive: true, force: true });
process.env.CUDNN_GRU_CACHE ??= join(out, 'choices');

const { devices } = await import('../dist/index.js');
const gpu = devices().find(({ name }) => name.startsWith('cuda'));
const missing = gpu?.available || options.emulated ? '' : (gpu?.reason ?? 'this build knows no CUDA');
const machine = options.emulated
  ? 'an emulated GPU: nothing here is a result of a GPU'
  : missing
    ? `no GPU: ${missing}`
    : gpu.description;
console.log(machine);

const results = [];
for (const step of steps) {
  results.push(await resultOf(step));
  const { name, status, seconds, reason, tests } = results.at(-1);
  const counts = tests ? `, ${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped` : '';
  console.log(`${name}: ${status} (${seconds.toFixed(0)} s${counts})${reason && `: ${reason}`}`);
  writeSummary();
}
process.exit(results.some(({ status }) => status === 'failed' || status === 'out of time') || missing ? 1 : 0);

async function resultOf(step) {
  const skipped = (reason) => ({ name: step.name, status: 'skipped', seconds: 0, reason });
  if (without.includes(step.name) || (only.length > 0 && !only.includes(step.name))) return skipped('not asked for');
  // The doctor says in its log what is missing, and where it was looked for.
  if (missing && step.name !== 'doctor') return skipped(`no GPU: ${missing}`);
  const left = (end - performance.now()) / 1000;
  if (left < 15) return skipped('no time left');
  return runStep(step, { folder: out, seconds: Math.min(step.limit, left - 5) });
}

function writeSummary() {
  const rows = results.map(({ name, status, seconds, reason, tests }) => {
    const counts = tests ? [tests.passed, tests.failed, tests.skipped] : ['–', '–', '–'];
    return `| ${[name, status, seconds.toFixed(0), ...counts, reason.replaceAll('|', '/')].join(' | ')} |`;
  });
  const skips = results.flatMap(({ name, skips = {} }) =>
    Object.entries(skips).map(([reason, count]) => `- ${name}: ${count} tests: ${reason}`),
  );
  const text = [
    machine,
    '',
    '| step | status | seconds | tests passed | failed | skipped | reason |',
    `|${' --- |'.repeat(7)}`,
    ...rows,
    ...(skips.length > 0 ? ['', 'Skipped tests:', '', ...skips] : []),
  ];
  writeFileSync(join(out, 'summary.md'), `${text.join('\n')}\n`);
  writeFileSync(join(out, 'summary.json'), `${JSON.stringify({ machine, minutes, steps: results }, null, 2)}\n`);
}
