// Ours on a GPU beside cuDNN called directly (each case by its fastest algorithm) and PyTorch, in one run: npm run bench:gpu [-- --quick]. See README.md.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { devices } from '../dist/index.js';
import { addon } from '../dist/native/load.js';
import { deviceOf } from '../dist/tensor/device.js';
import { gpuMarkdown } from './gpu_report.mjs';
import { compare } from './measure.mjs';
import { ours } from './ours.mjs';
import { pyTorch } from './peers.mjs';
import { buildRawCudnn, rawCudnn, rawCudnnProgram } from './raw_cudnn.mjs';
import { gpuPlan, tinyPlan } from './shapes.mjs';

const { values: options } = parseArgs({
  options: {
    build: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    // Whether this program runs: small cases, on the emulated GPU too, where PyTorch computes on the CPU.
    tiny: { type: 'boolean', default: false },
    // No case is begun after so many seconds.
    seconds: { type: 'string', default: '1e9' },
    raw: { type: 'string', default: rawCudnnProgram },
    out: { type: 'string', default: fileURLToPath(new URL('results/', import.meta.url)) },
  },
});
if (options.build) {
  buildRawCudnn(options.raw);
  process.exit(0);
}
const gpu = devices().find(({ name }) => name.startsWith('cuda'));
if (!gpu?.available) {
  console.error(`cudnn-gru: bench:gpu needs a GPU: ${gpu?.reason ?? 'this build knows no CUDA'}`);
  process.exit(1);
}

const end = performance.now() + 1000 * Number(options.seconds);
const plan = options.tiny ? tinyPlan : gpuPlan(options.quick);
const effort = { ...(options.tiny ? { rounds: 2, repeats: 2 } : { rounds: 5, repeats: 20 }), quietMilliseconds: 0 };

const libraries = [ours(1)];
const missing = [];
const torch = await pyTorch(1);
if (!torch.missing && options.tiny) {
  const { prepare } = torch;
  torch.prepare = (kind, shape) => prepare(kind, { ...shape, device: 'cpu' });
}
for (const peer of [await rawCudnn(options.raw), torch]) {
  if (peer.missing) missing.push(peer.missing);
  else libraries.push(peer);
}

const results = [];
function write() {
  const choices = addon.choices(deviceOf('cuda').index);
  const report = gpuMarkdown({ gpu: gpu.description, effort, results, missing, leftOut: plan.slice(results.length) });
  mkdirSync(options.out, { recursive: true });
  const all = { gpu: gpu.description, effort, results, missing, choices };
  writeFileSync(join(options.out, 'gpu.json'), `${JSON.stringify(all, null, 2)}\n`);
  writeFileSync(join(options.out, 'gpu.md'), `${report}\n`);
  return report;
}

// What a case costs to fail is that case: the others go on, without a library whose process has ended.
for (const { kind, precision, shape, goals } of plan) {
  if (performance.now() > end) break;
  const result = { kind, shape: shape.name, precision, goals, ours: null, peers: [], errors: [] };
  results.push(result);
  const [mine, ...peers] = libraries.map((library) => ({
    ...library,
    prepare: async (...call) => {
      try {
        return await library.prepare(...call);
      } catch (error) {
        if (library === libraries[0]) throw error;
        result.errors.push(error.message);
        return undefined;
      }
    },
  }));
  try {
    [result.ours, ...result.peers] = await compare(
      [mine, ...peers],
      kind,
      { ...shape, precision, device: 'cuda' },
      effort,
    );
  } catch (error) {
    result.errors.push(`${error.code ?? error.name}: ${error.message}`);
  }
  const { ours: own, errors } = result;
  console.error([`${kind}, ${shape.name}, ${precision}: ${own?.median.toFixed(3) ?? '–'} ms`, ...errors].join('; '));
  write();
}
for (const library of libraries) library.close();
console.log(write());
const failed = results.filter(({ ours }) => ours === null).length;
if (failed > 0) console.error(`${failed} of ${results.length} cases failed`);
process.exit(failed > 0 ? 1 : 0);
