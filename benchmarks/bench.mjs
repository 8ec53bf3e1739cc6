// Ours beside its peers. See README.md.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { devices, setThreads } from '../dist/index.js';
import { measureOurs } from './ours.mjs';
import { onnxRuntime, pyTorch } from './peers.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    threads: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});
const threads = Number(options.threads);
const rounds = options.quick ? 5 : 15;

const inference = [
  { name: '100×32×128→256', time: 100, batch: 32, inputSize: 128, hiddenSize: 256, repeats: 5 },
  { name: '28×128×28→128', time: 28, batch: 128, inputSize: 28, hiddenSize: 128, repeats: 12 },
  { name: '100×1×128→256', time: 100, batch: 1, inputSize: 128, hiddenSize: 256, repeats: 50 },
];
const training = [
  { name: '28×128×28→128', time: 28, batch: 128, inputSize: 28, hiddenSize: 128, layers: 1, classes: 10, repeats: 5 },
];

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const range = (values) => `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`;

async function compare(kind, shapes, peer) {
  const results = [];
  for (const shape of shapes) {
    const ours = [];
    const theirs = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(await measureOurs(kind, shape, shape.repeats));
      theirs.push(await peer.measure(shape, shape.repeats));
    }
    const ratios = ours.map((ms, round) => theirs[round] / ms);
    const { time, batch, inputSize, hiddenSize, layers = 1 } = shape;
    const multiplications = layers === 1 ? 6 * time * batch * hiddenSize * (inputSize + hiddenSize) : 0;
    results.push({
      kind,
      shape: shape.name,
      threads,
      peer: peer.name,
      ours: median(ours),
      theirs: median(theirs),
      ratio: median(ratios),
      spread: range(ratios),
      gflops: (multiplications * (kind === 'training step' ? 3 : 1)) / median(ours) / 1e6,
    });
  }
  return results;
}

setThreads(threads);
const results = [];
for (const [kind, shapes, open] of [
  ['inference', inference, onnxRuntime],
  ['training step', training, pyTorch],
]) {
  const peer = await open(threads);
  if (peer.missing) {
    console.error(`missing: ${peer.missing}`);
    continue;
  }
  results.push(...(await compare(kind, shapes, peer)));
  peer.close();
}

console.log(
  `${cpus()[0]?.model}, ${devices().find(({ name }) => name === 'cpu')?.description}; ${rounds} rounds, medians\n`,
);
console.log('| case | T×B×I→H | threads | ours, ms | GFLOP/s | peer | peer, ms | ratio | spread |');
console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |');
for (const { kind, shape, ours, theirs, peer, ratio, spread, gflops } of results) {
  const cells = [
    kind,
    shape,
    threads,
    ours.toFixed(3),
    gflops.toFixed(0),
    peer,
    theirs.toFixed(3),
    `${ratio.toFixed(2)} ×`,
    spread,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
