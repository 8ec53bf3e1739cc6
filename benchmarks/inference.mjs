// `npm run bench:inference`: rows of a .npy file through `predictFile`, beside the bare operations on the same batches in memory and beside the same
// job with onnxruntime-node. Rounds alternate, and ratios are taken within a round. What parsing CSV and Parquet costs is shown apart.
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { finished } from 'node:stream/promises';
import {
  devices,
  exportOnnx,
  GRU,
  Linear,
  noGrad,
  ops,
  predictFile,
  readNpy,
  Sequential,
  scope,
  setThreads,
  tensor,
  writeNpy,
} from '../dist/index.js';
import { RemoteSource } from '../dist/inference/batch/remote_source.js';
import { median } from './measure.mjs';

const argument = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const rounds = argument('rounds', 5);
const rows = argument('rows', 32_768);
const tableRows = argument('table-rows', 4096);
const threads = argument('threads', availableParallelism());

const [inputSize, hiddenSize, time] = [16, 256, 50];
const width = time * inputSize;
const folder = mkdtempSync(join(tmpdir(), 'cudnn-gru-bench-'));
const path = (name) => join(folder, name);
setThreads(threads);
const gru = new GRU({ inputSize, hiddenSize });
const head = new Linear({ inputSize: hiddenSize, outputSize: 1 });
const model = new Sequential(gru, head).eval();
const data = Float32Array.from({ length: rows * width }, () => Math.fround(2 * Math.random() - 1));
await writeNpy(path('x.npy'), { data, shape: [rows, time, inputSize] });

// The operations alone, on batches that are on the device already; what they give stays there.
async function bare(batchSize) {
  const batches = [];
  for (let row = 0; row < rows; row += batchSize) {
    const count = Math.min(batchSize, rows - row);
    batches.push(tensor(data.subarray(row * width, (row + count) * width), [count, time, inputSize]));
  }
  const weights = gru.parameters();
  const [weight, bias] = head.parameters();
  const start = performance.now();
  let last = null;
  for (const x of batches) {
    last?.dispose();
    last = noGrad(() => scope(() => ops.linear(ops.gru(x, weights).output, weight, bias)));
    if (batches.indexOf(x) % 2) await last.data();
  }
  await last.data();
  const seconds = (performance.now() - start) / 1000;
  for (const x of batches) x.dispose();
  return rows / seconds;
}

async function ours(input, batchSize, count) {
  const start = performance.now();
  const result = await predictFile(model, {
    input: path(input),
    output: path('y.npy'),
    ...(batchSize && { batchSize }),
  });
  if (result.rows !== count) throw new Error(`${result.rows} rows of ${count}`);
  return { perSecond: (1000 * count) / (performance.now() - start), batchSize: result.batchSize };
}

// onnxruntime-node as its documentation has it: one session, as many intra-op threads as CPUs, tensors over typed arrays, `await session.run`; the
// file is read by a stream while it runs. The batch size is the fastest of those tried.
async function onnxJob() {
  let ort;
  try {
    ort = (await import('onnxruntime-node')).default;
  } catch {
    return undefined;
  }
  await exportOnnx(path('model.onnx'), model, { inputs: { input: { shape: ['batch', time, inputSize] } } });
  const session = await ort.InferenceSession.create(path('model.onnx'), {
    intraOpNumThreads: threads,
    graphOptimizationLevel: 'all',
  });
  const [input, output] = [session.inputNames[0], session.outputNames[0]];
  const job = async (batchSize, count = rows) => {
    const file = await open(path('x.npy'));
    const { size } = await file.stat();
    await file.close();
    const end = size - rows * width * 4 + count * width * 4 - 1;
    const out = createWriteStream(path('onnx.bin'));
    const start = performance.now();
    const batchBytes = batchSize * width * 4;
    let bytes = Buffer.alloc(0);
    const run = async (batch) => {
      const values = new Float32Array(batch.buffer.slice(batch.byteOffset, batch.byteOffset + batch.length));
      const x = new ort.Tensor('float32', values, [values.length / width, time, inputSize]);
      const { [output]: y } = await session.run({ [input]: x });
      if (!out.write(Buffer.from(y.data.buffer, y.data.byteOffset, y.data.byteLength))) {
        await new Promise((resolve) => out.once('drain', resolve));
      }
    };
    for await (const chunk of createReadStream(path('x.npy'), {
      start: size - rows * width * 4,
      end,
      highWaterMark: 1 << 20,
    })) {
      bytes = Buffer.concat([bytes, chunk]);
      for (; bytes.length >= batchBytes; bytes = bytes.subarray(batchBytes)) await run(bytes.subarray(0, batchBytes));
    }
    if (bytes.length > 0) await run(bytes);
    out.end();
    await finished(out);
    return (1000 * count) / (performance.now() - start);
  };
  let best = { perSecond: 0, batchSize: 0 };
  for (const batchSize of [32, 64, 128, 256, 512]) {
    const perSecond = await job(batchSize, Math.min(rows, 2048));
    if (perSecond > best.perSecond) best = { perSecond, batchSize };
  }
  return { job: () => job(best.batchSize), batchSize: best.batchSize };
}

const { batchSize } = await ours('x.npy', undefined, rows);
const peer = await onnxJob();
const rates = { bare: [], ours: [], onnx: [] };
for (let round = 0; round < rounds; round++) {
  rates.bare.push(await bare(batchSize));
  rates.ours.push((await ours('x.npy', batchSize, rows)).perSecond);
  if (peer) rates.onnx.push(await peer.job());
}
// Apart, because asking a thousand times a second takes its share of two processors.
const delay = monitorEventLoopDelay({ resolution: 1 });
async function delayed(work) {
  delay.reset();
  delay.enable();
  await work();
  delay.disable();
  return delay.percentile(99) / 1e6;
}
const npyDelay = await delayed(() => ours('x.npy', batchSize, rows));
let difference = 0;
if (peer) {
  const { data: y } = await readNpy(path('y.npy'));
  const file = await open(path('onnx.bin'));
  const theirs = new Float32Array((await file.readFile()).buffer);
  await file.close();
  for (let i = 0; i < y.length; i++) difference = Math.max(difference, Math.abs(y[i] - theirs[i]));
  if (!(y.length === theirs.length && difference < 1e-4)) throw new Error(`not the same numbers: ${difference}`);
}

// The same rows as text and columns.
async function tables() {
  const names = Array.from({ length: width }, (_, i) => `c${i}`);
  const csv = createWriteStream(path('x.csv'));
  csv.write(`${names}\n`);
  for (let row = 0; row < tableRows; row++) csv.write(`${data.subarray(row * width, (row + 1) * width).join(',')}\n`);
  csv.end();
  await finished(csv);
  const kinds = ['csv'];
  try {
    const { parquetWriteFile } = await import('hyparquet-writer');
    const column = (i) => Float32Array.from({ length: tableRows }, (_, row) => data[row * width + i]);
    const columnData = names.map((name, i) => ({ name, data: column(i), type: 'FLOAT' }));
    parquetWriteFile({ filename: path('x.parquet'), columnData, rowGroupSize: 1024 });
    kinds.push('parquet');
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  }
  const lines = [];
  for (const kind of kinds) {
    const spec = { name: 'input', dtype: 'float32', shape: ['batch', 'time', inputSize] };
    const source = await RemoteSource.open({ kind, path: path(`x.${kind}`), spec });
    const start = performance.now();
    let read = 0;
    for await (const { count } of source.read()) read += count;
    const perSecond = (1000 * read) / (performance.now() - start);
    await source.close();
    const whole = await ours(`x.${kind}`, batchSize, tableRows);
    const late = await delayed(() => ours(`x.${kind}`, batchSize, tableRows));
    lines.push([
      `.${kind}`,
      perSecond.toFixed(0),
      (1e6 / perSecond / width).toFixed(3),
      whole.perSecond.toFixed(0),
      late.toFixed(1),
    ]);
  }
  return lines;
}
const parsing = await tables();
rmSync(folder, { recursive: true });

const judged = (text, value, met) => `${text}: ${value} (${met ? 'met' : 'MISSED'})`;
console.log(`${devices().find(({ name }) => name === 'cpu').description}; ${threads} threads`);
console.log(
  `I=${inputSize} H=${hiddenSize} T=${time}, linear head; ${rows} rows of .npy in batches of ${batchSize} (onnxruntime-node: ${peer?.batchSize ?? 'not installed'}); medians of ${rounds} alternating rounds\n`,
);
console.log('| sequences/s | | ours ÷ it |');
console.log('| --- | --- | --- |');
const ratio = (of) => median(rates.ours.map((rate, round) => rate / rates[of][round]));
console.log(`| predictFile, .npy to .npy | ${median(rates.ours).toFixed(0)} | |`);
console.log(`| gru + linear alone, in memory | ${median(rates.bare).toFixed(0)} | ${ratio('bare').toFixed(3)} |`);
if (peer)
  console.log(`| onnxruntime-node, .npy to file | ${median(rates.onnx).toFixed(0)} | ${ratio('onnx').toFixed(3)} |`);
console.log();
console.log(
  judged(
    'end to end at least 85% of the bare operations',
    `${(100 * ratio('bare')).toFixed(1)}%`,
    ratio('bare') >= 0.85,
  ),
);
if (peer)
  console.log(
    judged(
      'at least 1.3 × onnxruntime-node',
      `${ratio('onnx').toFixed(2)} ×, largest difference ${difference.toExponential(1)}`,
      ratio('onnx') >= 1.3,
    ),
  );
console.log(judged('event loop delay p99 below 20 ms', `${npyDelay.toFixed(1)} ms`, npyDelay < 20));
console.log(`\n${tableRows} rows of ${width} numbers as tables\n`);
console.log('| | parsed rows/s | µs a number | predictFile rows/s | event loop delay p99, ms |');
console.log('| --- | --- | --- | --- | --- |');
for (const cells of parsing) console.log(`| ${cells.join(' | ')} |`);
