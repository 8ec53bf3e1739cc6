// `npm run bench:server`: micro-batching beside serving each request alone, on one machine with the load. Rounds alternate between the two
// servers, so that a machine whose speed drifts is fair to both.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { devices, GRU, Linear, noGrad, Sequential, saveModel, setThreads, tensor } from '../dist/index.js';
import { closedLoop, constantRate, httpRequest, quantile } from './server_load.mjs';

const argument = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const rounds = argument('rounds', 7);
const seconds = argument('seconds', 3);
const threads = argument('threads', 1);
const connections = argument('connections', 64);

const [inputSize, hiddenSize, time] = [16, 256, 50];
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const folder = mkdtempSync(join(tmpdir(), 'cudnn-gru-bench-'));
const model = new Sequential(
  new GRU({ inputSize, hiddenSize }),
  new Linear({ inputSize: hiddenSize, outputSize: 1 }),
).eval();
const path = join(folder, 'model.safetensors');
setThreads(1);
await saveModel(path, model);

// Sixteen inputs as requests in bytes, with the answers that the model gives in memory.
const cases = Array.from({ length: 16 }, () => {
  const x = Float32Array.from({ length: time * inputSize }, () => 2 * Math.random() - 1);
  const y = noGrad(() => model.forward(tensor(x, [1, time, inputSize]))).dataSync();
  const parameters = (size) => ({ parameters: { binary_data_size: size } });
  const document = (tensors) => Buffer.from(JSON.stringify(tensors));
  const head = document({
    inputs: [{ name: 'input', shape: [1, time, inputSize], datatype: 'FP32', ...parameters(x.byteLength) }],
    outputs: [{ name: 'output', parameters: { binary_data: true } }],
  });
  const answer = document({
    model_name: 'model',
    model_version: '1',
    outputs: [{ name: 'output', datatype: 'FP32', shape: [1, time, 1], ...parameters(y.byteLength) }],
  });
  return {
    request: httpRequest('/v2/models/model/infer', Buffer.concat([head, Buffer.from(x.buffer)]), {
      'Inference-Header-Content-Length': head.length,
    }),
    expected: Buffer.concat([answer, Buffer.from(y.buffer)]),
  };
});

async function serve(maxBatch) {
  const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
  const words = ['serve', path, '--port', '0', '--threads', threads, '--max-batch', maxBatch, '--log-level', 'error'];
  const child = spawn(process.execPath, [main, ...words.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise((resolve) => child.stdout.once('data', (text) => resolve(String(text).trim())));
  return { child, port: Number(new URL(url).port) };
}

const servers = { alone: await serve(1), batched: await serve(32) };
const results = { alone: { idle: [], peak: [], p99: [] }, batched: { idle: [], peak: [], p99: [] } };
for (const { port } of Object.values(servers)) await closedLoop(port, cases, { connections, seconds: 1 });
for (let round = 0; round < rounds; round++) {
  for (const [name, { port }] of Object.entries(servers)) {
    const low = await constantRate(port, cases, { rate: 50, connections: 4, seconds });
    results[name].idle.push(quantile(low.latencies, 0.5));
  }
  for (const [name, { port }] of Object.entries(servers)) {
    const { perSecond } = await closedLoop(port, cases, { connections, seconds });
    results[name].peak.push(perSecond);
  }
  for (const [name, { port }] of Object.entries(servers)) {
    const rate = 0.7 * median(results[name].peak);
    const { latencies } = await constantRate(port, cases, { rate, connections: 4 * connections, seconds });
    results[name].p99.push(quantile(latencies, 0.99));
  }
}
for (const { child } of Object.values(servers)) child.kill('SIGTERM');
rmSync(folder, { recursive: true });

const ratio = (of) => median(results.batched[of].map((value, round) => value / results.alone[of][round]));
const judged = (value, text, met) => `${text}: ${value} (${met ? 'met' : 'MISSED'})`;
console.log(
  `${devices().find(({ name }) => name === 'cpu').description}; ${availableParallelism()} processors, the load on the same ones`,
);
console.log(
  `I=${inputSize} H=${hiddenSize} T=${time}, bytes, computing with ${threads} thread(s); medians of ${rounds} alternating rounds of ${seconds} s\n`,
);
console.log('| | each request alone | micro-batching | ratio |');
console.log('| --- | --- | --- | --- |');
const row = (title, of, digits) =>
  console.log(
    `| ${title} | ${median(results.alone[of]).toFixed(digits)} | ${median(results.batched[of]).toFixed(digits)} | ${ratio(of).toFixed(2)} |`,
  );
row('p50 at 50 requests/s, ms', 'idle', 2);
row(`requests/s, ${connections} connections`, 'peak', 0);
row('p99 at 70% of that, ms', 'p99', 1);
console.log();
console.log(
  judged(ratio('idle').toFixed(2), 'p50 at low load at most 1.1 × that of requests alone', ratio('idle') <= 1.1),
);
console.log(judged(ratio('peak').toFixed(2), 'requests/s at least 1.2 ×', ratio('peak') >= 1.2));
const p99 = median(results.batched.p99);
console.log(judged(`${p99.toFixed(1)} ms`, 'p99 at 70% of peak below 50 ms', p99 < 50));
