// The libraries to compare with. Each gives { name, prepare(kind, shape) → run(last) }, or { missing: why }. `run` is called again and again;
// the call with `last` ends with the result in host memory. prepare answers undefined for what a library cannot do.
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export async function onnxRuntime(threads) {
  let ort;
  let onnxGru;
  try {
    ort = (await import('onnxruntime-node')).default;
    ({ onnxGru } = await import('./onnx_gru.mjs'));
  } catch (error) {
    return { missing: `onnxruntime-node: ${error.message.split('\n')[0]}` };
  }
  const prepare = async (kind, shape) => {
    if (kind !== 'inference') return undefined;
    const session = await ort.InferenceSession.create(onnxGru(shape), {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
    });
    const { time, batch, inputSize } = shape;
    const x = Float32Array.from({ length: time * batch * inputSize }, () => Math.random() - 0.5);
    return () => session.run({ X: new ort.Tensor('float32', x, [time, batch, inputSize]) });
  };
  return { name: 'onnxruntime-node', prepare, close() {} };
}

export async function pyTorch(threads) {
  const python = process.env.PYTHON ?? 'python3';
  const script = fileURLToPath(new URL('torch_peer.py', import.meta.url));
  const child = spawn(python, [script, String(threads)], { stdio: ['pipe', 'pipe', 'ignore'] });
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const hello = await lines.next();
  if (hello.done) return { missing: `PyTorch: ${python} cannot import torch` };
  const ask = async (question) => {
    child.stdin.write(`${JSON.stringify(question)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('PyTorch: its process has ended');
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(`PyTorch: ${answer.error}`);
    return answer;
  };
  // The loop runs in Python, so that its time is not that of the pipe.
  const prepare = async (kind, shape) => {
    if (shape.variant === 'resetBefore') return undefined;
    await ask({ prepare: kind, shape });
    return { milliseconds: async (repeats) => (await ask({ run: repeats })).ms };
  };
  const { version, cudnn } = JSON.parse(hello.value);
  const name = `PyTorch ${version}${cudnn ? ` with cuDNN ${cudnn}` : ''}`;
  return { name, prepare, close: () => child.stdin.end() };
}

export async function tensorFlowJs() {
  let tf;
  try {
    tf = await import('@tensorflow/tfjs');
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    setWasmPaths(`${dirname(fileURLToPath(import.meta.resolve('@tensorflow/tfjs-backend-wasm')))}/`);
    await tf.setBackend('wasm');
  } catch (error) {
    return { missing: `TensorFlow.js: ${error.message.split('\n')[0]}` };
  }
  const prepare = (kind, { time, batch, inputSize, hiddenSize, layers, directions, classes }) => {
    if (kind === 'forward + backward' || layers > 1 || directions > 1) return undefined;
    // TensorFlow.js has the reset-before cell only.
    const training = kind === 'training step';
    const gru = tf.layers.gru({ units: hiddenSize, returnSequences: !training, inputShape: [time, inputSize] });
    const model = tf.sequential({ layers: training ? [gru, tf.layers.dense({ units: classes })] : [gru] });
    const x = tf.randomNormal([batch, time, inputSize]);
    if (!training) {
      return async () => {
        const y = model.predict(x);
        await y.data();
        y.dispose();
      };
    }
    const y = tf.oneHot(
      tf.tensor1d(
        Array.from({ length: batch }, (_, row) => row % classes),
        'int32',
      ),
      classes,
    );
    model.compile({
      optimizer: tf.train.adam(1e-3),
      loss: (truth, logits) => tf.losses.softmaxCrossEntropy(truth, logits),
    });
    return () => model.trainOnBatch(x, y);
  };
  return { name: `TensorFlow.js ${tf.version.tfjs} (wasm)`, prepare, close() {} };
}
