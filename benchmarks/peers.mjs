// The libraries to compare with. Each gives a function that measures one case in milliseconds, or the reason why it is missing.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onnxGru } from './onnx_gru.mjs';

/** Milliseconds for one call of `run`, the mean of `repeats`. */
export async function timed(run, repeats) {
  const start = performance.now();
  for (let i = 0; i < repeats; i++) await run();
  return (performance.now() - start) / repeats;
}

export async function onnxRuntime(threads) {
  let ort;
  try {
    ort = (await import('onnxruntime-node')).default;
  } catch (error) {
    return { missing: `onnxruntime-node: ${error.message.split('\n')[0]}` };
  }
  const sessions = new Map();
  const measure = async (shape, repeats) => {
    if (!sessions.has(shape.name)) {
      const session = await ort.InferenceSession.create(onnxGru(shape), {
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
      });
      const { time, batch, inputSize } = shape;
      const x = Float32Array.from({ length: time * batch * inputSize }, () => Math.random() - 0.5);
      const run = () => session.run({ X: new ort.Tensor('float32', x, [time, batch, inputSize]) });
      for (let i = 0; i < 3; i++) await run();
      sessions.set(shape.name, run);
    }
    return timed(sessions.get(shape.name), repeats);
  };
  return { name: 'onnxruntime-node', measure, close() {} };
}

export async function pyTorch(threads) {
  const python = process.env.PYTHON ?? 'python3';
  const child = spawn(python, [fileURLToPath(new URL('torch_peer.py', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.on('error', () => {});
  const hello = await lines.next();
  if (hello.done) return { missing: `PyTorch: ${python} cannot import torch` };
  const measure = async (shape, repeats) => {
    child.stdin.write(`${JSON.stringify({ ...shape, threads, repeats })}\n`);
    return JSON.parse((await lines.next()).value).ms;
  };
  return { name: `PyTorch ${JSON.parse(hello.value).version}`, measure, close: () => child.stdin.end() };
}
