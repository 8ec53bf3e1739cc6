// What a user of cudnn-gru writes for the cases.
import {
  Adam,
  GRU,
  Linear,
  losses,
  noGrad,
  ops,
  randn,
  scope,
  setThreads,
  synchronize,
  tensor,
  withPrecision,
} from '../dist/index.js';
import { median } from './measure.mjs';

function inference({ time, batch, inputSize, hiddenSize, layers, directions }) {
  const gru = new GRU({
    inputSize,
    hiddenSize,
    numLayers: layers,
    bidirectional: directions === 2,
    timeMajor: true,
  }).eval();
  const x = Float32Array.from({ length: time * batch * inputSize }, () => Math.random() - 0.5);
  return async () => {
    const { output, hidden } = noGrad(() => scope(() => gru.forward(tensor(x, [time, batch, inputSize]))));
    await output.data();
    output.dispose();
    hidden.dispose();
  };
}

function stack({ inputSize, hiddenSize, layers, directions, variant = 'resetAfter', device = 'cpu' }) {
  const bidirectional = directions === 2;
  return new GRU({ inputSize, hiddenSize, numLayers: layers, bidirectional, variant, timeMajor: true, device });
}

/** Many predictions enter the queue of a GPU, whose data is there already; after the last one everything has run. */
async function queuedInference(shape) {
  const { time, batch, inputSize, device, precision } = shape;
  const gru = stack(shape).eval();
  const x = randn([time, batch, inputSize], { device });
  // As a user does who will predict often: a prediction measures nothing by itself.
  await withPrecision(precision, () => gru.tune([{ batch, time, training: false }]));
  const run = () => withPrecision(precision, () => noGrad(() => gru.forward(x)));
  return Object.assign(
    async (last) => {
      const { output, hidden } = run();
      output.dispose();
      hidden.dispose();
      if (last) await synchronize(device);
    },
    { dispose: () => disposeAll(gru, x) },
  );
}

function forwardBackward(shape) {
  const { time, batch, inputSize, hiddenSize, directions, device = 'cpu', precision = 'float32' } = shape;
  const gru = stack(shape);
  const x = randn([time, batch, inputSize], { requiresGrad: true, device });
  const outputGrad = randn([time, batch, directions * hiddenSize], { device });
  const leaves = [x, ...gru.parameters()];
  return Object.assign(
    async (last) => {
      scope(() => withPrecision(precision, () => gru.forward(x).output).backward(outputGrad));
      for (const leaf of leaves) {
        leaf.grad?.dispose();
        leaf.grad = null;
      }
      if (last) await synchronize(device);
    },
    { dispose: () => disposeAll(gru, x, outputGrad) },
  );
}

function trainingStep({ time, batch, inputSize, hiddenSize, layers, classes, device = 'cpu', precision = 'float32' }) {
  const gru = new GRU({ inputSize, hiddenSize, numLayers: layers, device });
  const head = new Linear({ inputSize: hiddenSize, outputSize: classes, device });
  const optimizer = new Adam([...gru.parameters(), ...head.parameters()], { learningRate: 1e-3, clipNorm: 1 });
  const x = randn([batch, time, inputSize], { device });
  const y = tensor(
    Int32Array.from({ length: batch }, (_, row) => row % classes),
    undefined,
    { device },
  );
  const javascript = [];
  const run = async (last) => {
    const start = performance.now();
    const loss = scope(() => {
      const logits = () => head.forward(ops.lastStep(gru.forward(x).output));
      const loss = losses.crossEntropy(withPrecision(precision, logits), y);
      loss.backward();
      return loss;
    });
    const stepped = optimizer.step();
    let spent = performance.now() - start;
    await stepped; // waits where the device is too far behind
    const rest = performance.now();
    optimizer.zeroGrad();
    if (!last) loss.dispose();
    spent += performance.now() - rest;
    javascript.push(spent);
    if (!last) return;
    await loss.item();
    loss.dispose();
  };
  return Object.assign(run, {
    /** Milliseconds of JavaScript in a step: what its thread cannot do anything else in. */
    details: () => ({ javascript: median(javascript) }),
    dispose: () => disposeAll(gru, head, optimizer, x, y),
  });
}

function disposeAll(...all) {
  for (const one of all) one.dispose();
}

const kinds = {
  inference,
  'queued inference': queuedInference,
  'forward + backward': forwardBackward,
  'training step': trainingStep,
};

/** Ours as a library to measure: see peers.mjs. A run's `last` asks for numbers of what was computed. */
export function ours(threads) {
  setThreads(threads);
  return { name: 'cudnn-gru', prepare: (kind, shape) => kinds[kind](shape), close() {} };
}
