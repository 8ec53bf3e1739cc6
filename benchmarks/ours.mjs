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
  tensor,
  withPrecision,
} from '../dist/index.js';

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

function stack({ inputSize, hiddenSize, layers, directions, device = 'cpu' }) {
  const bidirectional = directions === 2;
  return new GRU({ inputSize, hiddenSize, numLayers: layers, bidirectional, timeMajor: true, device });
}

/** Many predictions enter the queue of a GPU, whose data is there already; the last one's state is read. */
function queuedInference(shape) {
  const { time, batch, inputSize, device, precision } = shape;
  const gru = stack(shape).eval();
  const x = randn([time, batch, inputSize], { device });
  const run = () => withPrecision(precision, () => noGrad(() => gru.forward(x)));
  return async (last) => {
    const { output, hidden } = run();
    if (last) await hidden.data();
    output.dispose();
    hidden.dispose();
  };
}

function forwardBackward(shape) {
  const { time, batch, inputSize, hiddenSize, directions, device = 'cpu', precision = 'float32' } = shape;
  const gru = stack(shape);
  const x = randn([time, batch, inputSize], { requiresGrad: true, device });
  const outputGrad = randn([time, batch, directions * hiddenSize], { device });
  const leaves = [x, ...gru.parameters()];
  return async (last) => {
    scope(() => withPrecision(precision, () => gru.forward(x).output).backward(outputGrad));
    if (last) await gru.weight_hh_l0.grad.data();
    for (const leaf of leaves) {
      leaf.grad?.dispose();
      leaf.grad = null;
    }
  };
}

function trainingStep({ time, batch, inputSize, hiddenSize, layers, classes, device = 'cpu' }) {
  const gru = new GRU({ inputSize, hiddenSize, numLayers: layers, device });
  const head = new Linear({ inputSize: hiddenSize, outputSize: classes, device });
  const optimizer = new Adam([...gru.parameters(), ...head.parameters()], { learningRate: 1e-3, clipNorm: 1 });
  const x = randn([batch, time, inputSize], { device });
  const y = tensor(
    Int32Array.from({ length: batch }, (_, row) => row % classes),
    undefined,
    { device },
  );
  return async (last) => {
    const loss = scope(() => {
      const loss = losses.crossEntropy(head.forward(ops.lastStep(gru.forward(x).output)), y);
      loss.backward();
      return loss;
    });
    await optimizer.step();
    optimizer.zeroGrad();
    if (last) await loss.item();
    loss.dispose();
  };
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
