// Ours beside its peers. See README.md.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { devices } from '../dist/index.js';
import { compare, corePeaks, floorMilliseconds } from './measure.mjs';
import { ours } from './ours.mjs';
import { onnxRuntime, pyTorch, tensorFlowJs } from './peers.mjs';
import { markdownTable, plotRatios, plotSweeps } from './report.mjs';
import { forwardOperations, gruShapes, quickShapes, stepShapes, sweeps } from './shapes.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    threads: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
    out: { type: 'string', default: fileURLToPath(new URL('results/', import.meta.url)) },
  },
});
const threadCounts = (options.threads || (options.quick ? '1' : '1,2')).split(',').map(Number);
const effort = options.quick ? { rounds: 5, roundMilliseconds: 60 } : { rounds: 11, roundMilliseconds: 200 };

const plan = options.quick
  ? [
      { kind: 'inference', shapes: quickShapes, peers: [onnxRuntime, pyTorch] },
      { kind: 'training step', shapes: stepShapes.slice(0, 2), peers: [pyTorch] },
    ]
  : [
      { kind: 'inference', shapes: gruShapes, peers: [onnxRuntime, pyTorch] },
      { kind: 'forward + backward', shapes: gruShapes.slice(2), peers: [pyTorch] },
      { kind: 'training step', shapes: stepShapes, peers: [pyTorch] },
      { kind: 'inference', shapes: stepShapes.slice(0, 1), peers: [tensorFlowJs], threads: 1 },
      { kind: 'training step', shapes: stepShapes.slice(0, 1), peers: [tensorFlowJs], threads: 1 },
      ...Object.entries(sweeps).map(([sweep, shapes]) => ({
        kind: 'inference',
        shapes,
        peers: [onnxRuntime],
        sweep,
        threads: 1,
      })),
    ];

const peaks = corePeaks();
const peak = peaks?.gflops;
if (peaks === undefined) console.error('missing: the peaks of a core (no C++ compiler)');
const machine = devices().find(({ name }) => name === 'cpu')?.description;
const results = [];
const missing = new Set();
for (const threads of threadCounts) {
  const opened = new Map();
  for (const { kind, shapes, peers, sweep, threads: only } of plan) {
    if (only !== undefined && only !== threads) continue;
    if (options.only && options.only !== (sweep ?? kind)) continue;
    for (const open of peers) if (!opened.has(open)) opened.set(open, await open(threads));
    const libraries = [ours(threads)];
    for (const open of peers) {
      const peer = opened.get(open);
      if (peer.missing) missing.add(peer.missing);
      else libraries.push(peer);
    }
    for (const shape of shapes) {
      const [mine, ...theirs] = await compare(libraries, kind, shape, effort);
      const gflops = ((kind === 'inference' ? 1 : 3) * forwardOperations(shape)) / mine.median / 1e6;
      results.push({
        kind,
        sweep,
        shape,
        threads,
        gflops,
        fractionOfPeak: peak && gflops / (peak * threads),
        fractionOfFloor:
          peaks && kind === 'inference' ? floorMilliseconds(shape, threads, peaks) / mine.median : undefined,
        ours: mine,
        peers: theirs,
      });
      console.error(`${kind}, ${shape.name}, ${threads} threads: ${mine.median.toFixed(3)} ms`);
    }
  }
  for (const peer of opened.values()) peer.close?.();
}

const heading = `${machine}; FMA peak ${peak ?? 'not measured'} GFLOP/s a core; ${effort.rounds} rounds, medians; \`npm run bench${options.quick ? ' -- --quick' : ''}\``;
const report = `${heading}\n\n${markdownTable(results)}${[...missing].map((reason) => `\nMissing: ${reason}`).join('')}`;
console.log(report);
mkdirSync(options.out, { recursive: true });
writeFileSync(
  join(options.out, 'results.json'),
  `${JSON.stringify({ machine, peaks, threadCounts, results, missing: [...missing] }, null, 2)}\n`,
);
writeFileSync(join(options.out, 'results.md'), `${report}\n`);
for (const [name, svg] of [
  ['ratios.svg', await plotRatios(results)],
  ['sweeps.svg', await plotSweeps(results)],
]) {
  if (svg) writeFileSync(join(options.out, name), svg);
}
process.exit(0);
