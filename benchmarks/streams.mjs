// `npm run bench:streams`: streaming sessions. One step from JavaScript beside onnxruntime-node's call, round by round, and many live
// sessions at once.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { devices, GRU, setThreads } from '../dist/index.js';
import { corePeaks, median } from './measure.mjs';
import { onnxGru } from './onnx_gru.mjs';

const rounds = 15;

async function onnxStep(inputSize, hiddenSize) {
  let ort;
  try {
    ort = (await import('onnxruntime-node')).default;
  } catch {
    return undefined;
  }
  const shape = { time: 1, batch: 1, inputSize, hiddenSize, layers: 1, directions: 1 };
  const session = await ort.InferenceSession.create(onnxGru(shape), { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const x = new Float32Array(inputSize).fill(0.1);
  return () => session.run({ X: new ort.Tensor('float32', x, [1, 1, inputSize]) });
}

async function microseconds(step, repeats) {
  const start = performance.now();
  for (let i = 0; i < repeats; i++) await step();
  return ((performance.now() - start) * 1000) / repeats;
}

function microsecondsSync(step, repeats) {
  const start = performance.now();
  for (let i = 0; i < repeats; i++) step();
  return ((performance.now() - start) * 1000) / repeats;
}

console.log(`${devices().find(({ name }) => name === 'cpu').description}\n`);
console.log(
  'One step of one session, from JavaScript, 1 thread, µs (median of rounds; the ratio is taken within each round)\n',
);
console.log('| I→H | stepSync | onnxruntime-node | stepSync / onnxruntime-node | floor: reading the weights |');
console.log('|---|---|---|---|---|');
const peaks = corePeaks();
for (const [inputSize, hiddenSize, goal] of [
  [16, 128],
  [128, 256, 1 / 3],
  [512, 512],
]) {
  const stream = new GRU({ inputSize, hiddenSize }).eval().createStream();
  const peer = await onnxStep(inputSize, hiddenSize);
  const frame = new Float32Array(inputSize).fill(0.1);
  const output = new Float32Array(hiddenSize);
  const ours = [];
  const theirs = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(microsecondsSync(() => stream.stepSync(frame, output), 500));
    if (peer) theirs.push(await microseconds(peer, 300));
  }
  const ratio = peer && median(ours.map((time, round) => time / theirs[round]));
  const judged = goal && peer ? (ratio <= goal ? ' (goal ≤ 1/3)' : ' **(goal ≤ 1/3)**') : '';
  const cells = [median(ours).toFixed(1), peer ? median(theirs).toFixed(1) : 'not installed', ratio?.toFixed(3) ?? '–'];
  // What one core needs to read all weights once, from the cache that holds them.
  const bytes = 12 * hiddenSize * (inputSize + hiddenSize);
  const rate = peaks?.bandwidth.findLast(([block]) => block <= bytes)?.[1]; // bytes a nanosecond
  const floor = rate && bytes / rate / 1000;
  console.log(`| ${inputSize}→${hiddenSize} | ${cells.join(' | ')}${judged} | ${floor?.toFixed(1) ?? 'no compiler'} |`);
}

// Each session pushes a frame every `period` milliseconds, whether the one before was answered or not. The sessions' beats are spread
// evenly; what is late because the event loop was is pushed at once, and its time counts from when it was to be pushed.
async function sessions(count, inputSize, hiddenSize, rate, seconds) {
  const model = new GRU({ inputSize, hiddenSize }).eval();
  const streams = Array.from({ length: count }, () => model.createStream());
  const frame = new Float32Array(inputSize).fill(0.1);
  const period = 1000 / rate;
  const total = Math.round(count * rate * seconds);
  const waits = new Float64Array(total);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const cpuBefore = process.cpuUsage();
  const start = performance.now() + 20;
  let pushed = 0;
  let answered = 0;
  delay.enable();
  await new Promise((resolve, reject) => {
    const beat = () => {
      const now = performance.now();
      for (; pushed < total; pushed++) {
        const due = start + (pushed * period) / count;
        if (due > now) break;
        const at = pushed;
        streams[pushed % count].push(frame).then(() => {
          waits[at] = performance.now() - due;
          if (++answered === total) resolve();
        }, reject);
      }
      if (pushed < total) setTimeout(beat, 1);
    };
    setTimeout(beat, 20);
  });
  delay.disable();
  const wall = performance.now() - start;
  const cpu = process.cpuUsage(cpuBefore);
  for (const stream of streams) stream.close();
  const settled = waits.subarray(Math.floor(total / 10)).sort(); // the first tenth warms up
  const at = (quantile) => settled[Math.min(settled.length - 1, Math.floor(quantile * settled.length))];
  return {
    framesPerSecond: (total / wall) * 1000,
    p50: at(0.5),
    p99: at(0.99),
    cpus: (cpu.user + cpu.system) / 1000 / wall,
    loop: delay.percentile(99) / 1e6,
  };
}

console.log(
  '\nSessions at once, I=16, H=128, 2 threads, load generator included; ms from when a frame was due to its output\n',
);
console.log('| sessions × frames/s | frames/s done | p50 | p99 | CPUs used | event loop delay p99 |');
console.log('|---|---|---|---|---|---|');
setThreads(2);
for (const [count, rate, goal] of [
  [1, 100],
  [100, 100],
  [1000, 100, 20],
]) {
  const { framesPerSecond, p50, p99, cpus, loop } = await sessions(count, 16, 128, rate, 10);
  const judged = goal ? (p99 < goal ? ` (goal < ${goal})` : ` **(goal < ${goal})**`) : '';
  const cells = [framesPerSecond.toFixed(0), p50.toFixed(2), p99.toFixed(2) + judged, cpus.toFixed(2), loop.toFixed(1)];
  console.log(`| ${count} × ${rate} | ${cells.join(' | ')} |`);
}
