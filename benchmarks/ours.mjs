// What a user of cudnn-gru writes for the same cases.
import { Adam, GRU, Linear, losses, noGrad, ops, randn, scope, tensor } from '../dist/index.js';
import { timed } from './peers.mjs';

const cases = new Map();

function inference({ time, batch, inputSize, hiddenSize }) {
  const gru = new GRU({ inputSize, hiddenSize, timeMajor: true }).eval();
  const x = Float32Array.from({ length: time * batch * inputSize }, () => Math.random() - 0.5);
  return async () => {
    const { output, hidden } = noGrad(() => scope(() => gru.forward(tensor(x, [time, batch, inputSize]))));
    await output.data();
    output.dispose();
    hidden.dispose();
  };
}

function trainingStep({ time, batch, inputSize, hiddenSize, layers, classes }) {
  const gru = new GRU({ inputSize, hiddenSize, numLayers: layers });
  const head = new Linear({ inputSize: hiddenSize, outputSize: classes });
  const optimizer = new Adam([...gru.parameters(), ...head.parameters()], { learningRate: 1e-3, clipNorm: 1 });
  const x = randn([batch, time, inputSize]);
  const y = tensor(Int32Array.from({ length: batch }, (_, row) => row % classes));
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

/** Milliseconds, with the result (in training, that of the last step) in host memory. */
export async function measureOurs(kind, shape, repeats) {
  const key = `${kind} ${shape.name}`;
  if (!cases.has(key)) {
    const run = kind === 'inference' ? inference(shape) : trainingStep(shape);
    for (let i = 0; i < 3; i++) await run(true);
    cases.set(key, run);
  }
  let left = repeats;
  return timed(() => cases.get(key)(--left === 0), repeats);
}
