// `npm run soak:server [-- --seconds 600 --growth 1.05]`: a server under good, malformed, oversized, slow and aborted requests at once, while its
// model is loaded again and again. Fails if it ends by itself, answers one good request wrongly or not at all, or its resident memory grows.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Connection, httpRequest, quantile } from '../benchmarks/server_load.mjs';
import { GRU, Linear, noGrad, Sequential, saveModel, tensor } from '../dist/index.js';

const argument = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const seconds = argument('seconds', 600);
const growth = argument('growth', 1.05);
const maxBody = 200_000;
const timeout = 3;

const folder = mkdtempSync(join(tmpdir(), 'cudnn-gru-soak-'));
const file = join(folder, 'model.safetensors');
const model = new Sequential(
  new GRU({ inputSize: 16, hiddenSize: 128 }),
  new Linear({ inputSize: 128, outputSize: 4 }),
).eval();
await saveModel(file, model);

const path = '/v2/models/model/infer';
const random = (below) => Math.floor(Math.random() * below);
const pick = (items) => items[random(items.length)];

// Good requests of many shapes, in bytes and in JSON, each with a test of its answer.
const good = Array.from({ length: 60 }, (_, i) => {
  const shape = [1 + (i % 4), 5 + 7 * (i % 5), 16];
  const x = Float32Array.from({ length: shape[0] * shape[1] * 16 }, () => 2 * Math.random() - 1);
  const y = Buffer.from(noGrad(() => model.forward(tensor(x, shape))).dataSync().buffer);
  const input = { name: 'input', shape, datatype: 'FP32' };
  if (i % 3 === 0) {
    const request = httpRequest(path, Buffer.from(JSON.stringify({ inputs: [{ ...input, data: Array.from(x) }] })));
    const isRight = (body) => Buffer.from(Float32Array.from(JSON.parse(body).outputs[0].data).buffer).equals(y);
    return { request, isRight };
  }
  const parameters = { binary_data_size: x.byteLength };
  const document = { inputs: [{ ...input, parameters }], parameters: { binary_data_output: true } };
  const head = Buffer.from(JSON.stringify(document));
  const request = httpRequest(path, Buffer.concat([head, Buffer.from(x.buffer)]), {
    'Inference-Header-Content-Length': head.length,
  });
  return { request, isRight: (body) => body.subarray(-y.length).equals(y) };
});
const malformed = [
  () => httpRequest(path, Buffer.from('{"inputs":')),
  () =>
    httpRequest(
      path,
      Buffer.from(JSON.stringify({ inputs: [{ name: 'input', shape: [1, 1, 15], datatype: 'FP32', data: [] }] })),
    ),
  () =>
    httpRequest(
      path,
      Buffer.from(JSON.stringify({ inputs: [{ name: 'input', shape: [1, 1e9, 16], datatype: 'FP32', data: [] }] })),
    ),
  () => httpRequest(path, Buffer.from('{}'), { 'Inference-Header-Content-Length': random(100) }),
  () => httpRequest('/v2/models/none/infer', Buffer.from('{}')),
  () => httpRequest(`/${'x'.repeat(random(5000))}`, Buffer.from('{}')),
  () => httpRequest('/forecast', Buffer.from('{"columns":{"a":[1,2,3]}}'), { 'Content-Type': 'application/json' }),
  () => httpRequest(path, Buffer.alloc(random(2000), 0xff)),
  () => httpRequest(path, Buffer.from(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)),
];
const counts = { good: 0, malformed: 0, oversized: 0, slow: 0, aborted: 0, garbage: 0, reloads: 0 };

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const words = ['serve', file, '--port', '0', '--max-body', maxBody, '--timeout', timeout, '--log-level', 'error'];
const child = spawn(process.execPath, [main, ...words.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
let ending = false;
const exit = new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)));
void exit.then((code) => {
  if (!ending) fail(`the server ended with ${code}`);
});
const url = await new Promise((resolve) => child.stdout.once('data', (text) => resolve(String(text).trim())));
const port = Number(new URL(url).port);
const start = performance.now();
const elapsed = () => (performance.now() - start) / 1000;

function fail(reason) {
  console.error(`FAILED after ${elapsed().toFixed(0)} s: ${reason}; ${JSON.stringify(counts)}`);
  child.kill('SIGKILL');
  process.exit(1);
}

async function untilTheEnd(work) {
  while (elapsed() < seconds) await work();
}

async function goodClient() {
  const connection = await Connection.open(port);
  await untilTheEnd(async () => {
    const { request, isRight } = pick(good);
    const { status, body } = await connection.ask(request);
    if (status !== 200 || !isRight(body))
      fail(`a good request was answered with ${status} ${body.toString('latin1', 0, 300)}`);
    counts.good++;
    await sleep(random(4));
  });
  connection.close();
}

async function malformedClient() {
  await untilTheEnd(async () => {
    const connection = await Connection.open(port);
    for (let i = 0; i < 20; i++) {
      const { status, body } = await connection.ask(pick(malformed)());
      if (status < 400 || status >= 500)
        fail(`a malformed request was answered with ${status} ${body.toString('latin1', 0, 300)}`);
      counts.malformed++;
    }
    connection.close();
    await sleep(20);
  });
}

/** Sends bytes; resolves with what came back when the server has closed the connection, or after `keep` milliseconds. */
function send(bytes, keep) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    let cutOff = true;
    const timer = setTimeout(() => {
      cutOff = false;
      socket.destroy();
    }, keep);
    socket.on('data', (data) => {
      answer += data.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve({ answer, cutOff });
    });
  });
}

// The answer may be lost where the connection is cut off while the client still sends.
async function oversizedClient() {
  await untilTheEnd(async () => {
    const { answer } = await send(httpRequest(path, Buffer.alloc(maxBody + 1 + random(maxBody), 0x20)), 500);
    if (answer !== '' && !answer.startsWith('HTTP/1.1 413'))
      fail(`an oversized request was answered with ${answer.slice(0, 300)}`);
    counts.oversized++;
    await sleep(100);
  });
}

async function slowClient() {
  await untilTheEnd(async () => {
    const { request } = pick(good);
    const part = request.subarray(0, 1 + random(request.length - 1));
    const { answer, cutOff } = await send(part, 1000 * (timeout + 10));
    if (!cutOff) fail('a request that stopped on its way was not cut off');
    if (answer !== '' && !answer.startsWith('HTTP/1.1 408'))
      fail(`a request that stopped on its way was answered with ${JSON.stringify(answer.slice(0, 300))}`);
    counts.slow++;
  });
}

async function abortingClient() {
  await untilTheEnd(async () => {
    await send(pick(good).request, random(15));
    counts.aborted++;
    await sleep(5);
  });
}

async function garbageClient() {
  await untilTheEnd(async () => {
    await send(Buffer.from(Array.from({ length: 1 + random(300) }, () => random(256))), 200);
    counts.garbage++;
    await sleep(50);
  });
}

async function reloading() {
  await untilTheEnd(async () => {
    child.kill('SIGHUP');
    counts.reloads++;
    await sleep(2000);
  });
}

const memory = [];
async function watching() {
  await untilTheEnd(async () => {
    const [, kibibytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
    memory.push({ at: elapsed(), mebibytes: Number(kibibytes) / 1024 });
    await sleep(500);
  });
}

const of = (count, client) => Array.from({ length: count }, client);
await Promise.all([
  ...of(8, goodClient),
  ...of(2, malformedClient),
  ...of(2, oversizedClient),
  ...of(4, slowClient),
  ...of(4, abortingClient),
  ...of(2, garbageClient),
  reloading(),
  watching(),
]).catch((error) => fail(error.stack));

// V8 lets its heap grow and shrink by tens of megabytes as it sees fit. What a leak would raise is what remains when it has collected.
const lowest = (from, to) => {
  const values = memory.filter(({ at }) => at >= from * seconds && at <= to * seconds).map((each) => each.mebibytes);
  return quantile(
    values.sort((a, b) => a - b),
    0.1,
  );
};
const [early, late] = [lowest(0.2, 0.4), lowest(0.8, 1)];
ending = true;
child.kill('SIGTERM');
const code = await exit;
rmSync(folder, { recursive: true });
console.log(`${seconds} s: ${JSON.stringify(counts)}`);
console.log(
  `resident memory, tenth percentiles: ${early.toFixed(1)} MiB at 20% to 40% of the time, ${late.toFixed(1)} MiB in the last 20%: × ${(late / early).toFixed(3)}`,
);
if (late > growth * early) fail(`resident memory grew beyond × ${growth}`);
if (code !== 0) fail(`the server ended with ${code} when told to`);
