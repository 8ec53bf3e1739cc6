// A process of its own: `node gru_bits.mjs <addon.node>` with CUDNN_GRU_CPU set prints a digest of gru's results for each case, so
// that two instruction sets can be compared bit by bit. It calls the addon alone and needs no build of the TypeScript.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';

const addon = createRequire(import.meta.url)(process.argv[2]);
const report = addon.devices().find((device) => device.name === 'cpu');

const CASES = [
  { time: 5, batch: 3, inputSize: 7, hiddenSize: 17, layers: 1, directions: 1, lengths: null },
  { time: 4, batch: 1, inputSize: 33, hiddenSize: 65, layers: 1, directions: 1, lengths: null },
  { time: 6, batch: 37, inputSize: 1, hiddenSize: 31, layers: 2, directions: 2, lengths: null },
  { time: 3, batch: 19, inputSize: 129, hiddenSize: 79, layers: 1, directions: 2, lengths: null },
  { time: 60, batch: 3, inputSize: 17, hiddenSize: 257, layers: 1, directions: 1, lengths: null },
  { time: 5, batch: 4, inputSize: 16, hiddenSize: 257, layers: 2, directions: 1, lengths: [5, 0, 1, 3] },
];

// Numbers in ±scale from a linear congruential generator: the same in every process.
let state = 1;
function draw(count, scale) {
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * scale;
  });
}

let lastHandle = 0;
function upload(device, values) {
  const handle = ++lastHandle;
  addon.upload(device, values, handle);
  return handle;
}

function digest(device, shape, resetBefore, scale) {
  const { time, batch, inputSize, hiddenSize, layers, directions, lengths } = shape;
  const x = upload(device, draw(time * batch * inputSize, 2));
  const initialHidden = upload(device, draw(layers * directions * batch * hiddenSize, 1));
  const weights = [];
  for (let cell = 0; cell < layers * directions; ++cell) {
    const features = cell < directions ? inputSize : directions * hiddenSize;
    for (const columns of [features, hiddenSize, 1, 1]) {
      weights.push(upload(device, draw(3 * hiddenSize * columns, scale / Math.sqrt(hiddenSize))));
    }
  }
  const [output, hidden] = [++lastHandle, ++lastHandle];
  addon.gru(
    device,
    time,
    batch,
    inputSize,
    hiddenSize,
    layers,
    directions,
    true,
    resetBefore,
    true,
    0,
    0,
    0,
    0,
    lengths && Int32Array.from(lengths),
    Int32Array.from(weights),
    0,
    x,
    initialHidden,
    output,
    hidden,
    0,
  );
  const hash = createHash('sha256');
  for (const [handle, count] of [
    [output, time * batch * directions * hiddenSize],
    [hidden, layers * directions * batch * hiddenSize],
  ]) {
    const values = new Float32Array(count);
    addon.readSync(handle, values);
    hash.update(values);
  }
  return hash.digest('hex');
}

const digests = {};
if (report.available) {
  const device = addon.openDevice('cpu');
  for (const shape of CASES) {
    for (const resetBefore of [false, true]) {
      for (const scale of [1, 20]) {
        const { time, batch, inputSize, hiddenSize, layers, directions } = shape;
        const name =
          `${time}×${batch}×${inputSize}→${hiddenSize}, ${layers} layers, ${directions} directions, ` +
          `${resetBefore ? 'reset before' : 'reset after'}, weights × ${scale}`;
        digests[name] = digest(device, shape, resetBefore, scale);
      }
    }
  }
}
console.log(JSON.stringify({ description: report.description, reason: report.reason, digests }));
