import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, it } from 'vitest';

// Workers run the compiled package, as a user's would.
const root = fileURLToPath(new URL('../..', import.meta.url));
const entry = new URL('../../dist/index.js', import.meta.url).href;

const source = `
import { parentPort, workerData } from 'node:worker_threads';
const { Adam, GRU, losses, randn, setSeed, tensor, setThreads } = await import(${JSON.stringify(entry)});
setSeed(7);
setThreads(2);
const gru = new GRU({ inputSize: 4, hiddenSize: 16 });
const optimizer = new Adam(gru.parameters(), { learningRate: 0.01 });
const x = randn([8, 12, 4]);
const target = randn([8, 12, 16]);
let loss;
for (let i = 0; i < workerData.steps; i++) {
  loss = losses.mse(gru.forward(x).output, target);
  loss.backward();
  await optimizer.step();
  optimizer.zeroGrad();
  if (i === 10) parentPort.postMessage('running');
}
parentPort.postMessage(await loss.item());
`;

function start(steps: number): Worker {
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData: { steps } });
}

function result(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message) => typeof message === 'number' && resolve(message));
    worker.on('error', reject);
  });
}

describe('worker threads', () => {
  beforeAll(() => {
    if (!existsSync(fileURLToPath(entry)))
      execFileSync('npx', ['tsc', '-p', 'tsconfig.json'], { cwd: root, stdio: 'inherit' });
  });

  it('several train at once, each with the same bits', async () => {
    const losses = await Promise.all([start(200), start(200), start(200)].map(result));
    expect(losses[0]).toBeGreaterThan(0);
    expect(losses[1]).toBe(losses[0]);
    expect(losses[2]).toBe(losses[0]);
  });

  it('survive their termination in the middle of a step, and the process goes on', async () => {
    for (let round = 0; round < 5; round++) {
      const worker = start(1_000_000);
      await new Promise<void>((resolve, reject) => {
        worker.on('message', () => resolve());
        worker.on('error', reject);
      });
      await worker.terminate();
    }
    expect(await result(start(50))).toBeGreaterThan(0);
  });

  it('are terminated on the path of an error without ending the process', async () => {
    const failing = `
      import { parentPort } from 'node:worker_threads';
      const { ops, zeros, tensor } = await import(${JSON.stringify(entry)});
      const ids = tensor(Int32Array.of(9));
      const table = zeros([2, 2]);
      for (let i = 0; ; i++) {
        try { ops.embedding(ids, table).dataSync(); } catch {}
        if (i === 20) parentPort.postMessage('running');
      }`;
    for (let round = 0; round < 10; round++) {
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(failing)}`));
      await new Promise<void>((resolve, reject) => {
        worker.on('message', () => resolve());
        worker.on('error', reject);
      });
      await worker.terminate();
    }
  });

  it('an error where the stack is full is an error, not the end of the process', () => {
    const script = `
      const { ops, tensor, zeros } = await import(${JSON.stringify(entry)});
      const ids = tensor(Int32Array.of(9));
      const table = zeros([2, 2]);
      const deep = () => { try { deep(); } catch { try { ops.embedding(ids, table).dataSync(); } catch {} } };
      deep();
      console.log('alive');`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(output.trim()).toBe('alive');
  });

  it('a process that trained ends by itself', () => {
    const script = source.replace(
      "import { parentPort, workerData } from 'node:worker_threads';",
      'const workerData = { steps: 20 }, parentPort = { postMessage: console.log };',
    );
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect(output).toMatch(/running\n[\d.]+/);
  });

  it('require() and import give one instance', () => {
    const script = `const a = require(${JSON.stringify(fileURLToPath(entry))}); import(${JSON.stringify(entry)}).then((b) => console.log(a.Tensor === b.Tensor));`;
    const output = execFileSync(process.execPath, ['-e', script], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(output.trim()).toBe('true');
  });
});
