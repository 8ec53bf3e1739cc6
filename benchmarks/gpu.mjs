// Ours on a GPU beside cuDNN called directly (each shape by its fastest algorithm) and PyTorch, in one run: npm run bench:gpu [-- --quick]. See README.md.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { devices } from '../dist/index.js';
import { compare } from './measure.mjs';
import { ours } from './ours.mjs';
import { pyTorch } from './peers.mjs';
import { shape, stepShapes } from './shapes.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = join(root, 'build/Release/raw_cudnn');

/** The raw cuDNN program, compiled here unless it was built elsewhere for this machine. undefined: why it is missing is on stderr. */
function buildRawCudnn() {
  const wheels = join(root, '.cache/cuda-toolkit/nvidia');
  const cuda = existsSync(wheels) ? join(wheels, 'cu13') : (process.env.CUDA_PATH ?? '/usr/local/cuda');
  const includes = ['native', join(cuda, 'include'), join(wheels, 'cudnn/include')].map((folder) => `-I${folder}`);
  const sources = ['cuda/libraries/libraries', 'cuda/libraries/library_search', 'platform/dynamic_library'];
  const files = ['benchmarks/raw_cudnn.cc', ...sources.map((name) => `native/${name}.cc`)];
  const libraries = [join(cuda, 'lib64/libcudart_static.a'), '-ldl', '-lpthread', '-lrt'];
  const args = ['-std=c++17', '-O2', ...includes, ...files, ...libraries, '-o', program];
  execFileSync('c++', args, { cwd: root, stdio: 'inherit' });
}

async function rawCudnn() {
  if (!existsSync(program)) return { missing: `${program}: build it by npm run bench:gpu -- --build` };
  const child = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (question) => {
    child.stdin.write(`${question}\n`);
    return ((await lines.next()).value ?? '').trim().split(' ');
  };
  const prepare = async (kind, { time, batch, inputSize, hiddenSize, layers, directions, precision }) => {
    if (kind === 'training step') return undefined;
    const sizes = [time, batch, inputSize, hiddenSize, layers, directions].join(' ');
    const [algorithm] = await ask(`prepare ${sizes} ${precision} ${kind === 'queued inference' ? 0 : 1}`);
    if (!algorithm || algorithm === 'none') return undefined;
    return { milliseconds: async (repeats) => Number((await ask(`run ${repeats}`))[0]) };
  };
  return { name: 'raw cuDNN, fastest algorithm', prepare, close: () => child.stdin.end() };
}

const { values: options } = parseArgs({
  options: {
    build: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    tiny: { type: 'boolean', default: false },
    out: { type: 'string', default: fileURLToPath(new URL('results/', import.meta.url)) },
  },
});
if (options.build) {
  buildRawCudnn();
  process.exit(0);
}
const gpu = devices().find(({ name }) => name.startsWith('cuda'));
if (!gpu?.available) {
  console.error(`cudnn-gru: bench:gpu needs a GPU: ${gpu?.reason ?? 'this build knows no CUDA'}`);
  process.exit(1);
}

const gruShapes = [
  shape(100, 1, 128, 256),
  shape(28, 128, 28, 128),
  shape(100, 32, 128, 256),
  shape(100, 64, 256, 512),
  shape(100, 64, 256, 512, { layers: 2, directions: 2 }),
  shape(50, 64, 512, 1024),
  shape(200, 256, 64, 128, { layers: 2 }),
  shape(100, 256, 1024, 1024, { layers: 2 }),
];
const precisions = ['float32', 'tf32', 'float16', 'bfloat16'];
const kinds = ['queued inference', 'forward + backward'];
// --tiny: whether this program runs, on the emulated GPU too.
const plan = options.tiny
  ? kinds.map((kind) => ({ kind, precision: 'float32', shape: shape(3, 2, 3, 4) }))
  : [
      ...(options.quick ? gruShapes.slice(0, 2) : gruShapes).flatMap((one) =>
        (options.quick ? ['float32'] : precisions).flatMap((precision) =>
          kinds.map((kind) => ({ kind, precision, shape: one })),
        ),
      ),
      ...stepShapes.map((one) => ({ kind: 'training step', precision: 'float32', shape: one })),
    ];
const effort = options.tiny ? { rounds: 1, roundMilliseconds: 1 } : { rounds: 5, roundMilliseconds: 40 };

const libraries = [ours(1)];
const missing = [];
for (const peer of options.tiny ? [] : [await rawCudnn(), await pyTorch(1)]) {
  if (peer.missing) missing.push(peer.missing);
  else libraries.push(peer);
}
const results = [];
for (const { kind, precision, shape } of plan) {
  const [mine, ...peers] = await compare(libraries, kind, { ...shape, precision, device: 'cuda' }, effort);
  results.push({ kind, shape: shape.name, precision, ours: mine, peers });
  console.error(`${kind}, ${shape.name}, ${precision}: ${mine.median.toFixed(3)} ms`);
}
for (const library of libraries) library.close();

const rows = results.flatMap(({ kind, shape, precision, ours, peers }) =>
  (peers.length > 0 ? peers : [undefined]).map((peer) => {
    const theirs = peer ? [peer.name, peer.median.toFixed(3), `${peer.ratio.toFixed(2)} ×`] : ['–', '–', '–'];
    return `| ${[kind, shape, precision, ours.median.toFixed(3), ...theirs].join(' | ')} |`;
  }),
);
const report = [
  `${gpu.description}; medians of ${effort.rounds} interleaved rounds, ms a call; a ratio is the peer's time over ours`,
  '',
  "| case | T×B×I→H | precision | ours | peer | peer's | ratio |",
  `|${' --- |'.repeat(7)}`,
  ...rows,
  ...missing.map((reason) => `\nMissing: ${reason}`),
].join('\n');
console.log(report);
mkdirSync(options.out, { recursive: true });
writeFileSync(
  join(options.out, 'gpu.json'),
  `${JSON.stringify({ gpu: gpu.description, results, missing }, null, 2)}\n`,
);
writeFileSync(join(options.out, 'gpu.md'), `${report}\n`);
process.exit(0);
