// A process of its own: `node gru_quantized_bits.mjs <addon.node>` with CUDNN_GRU_CPU set prints the outputs of gruQuantized for each case,
// in base64, so that two instruction sets can be compared. It calls the addon alone and needs no build of the TypeScript.
import { createRequire } from 'node:module';

const addon = createRequire(import.meta.url)(process.argv[2]);
const report = addon.devices().find((device) => device.name === 'cpu');

const CASES = [
  { time: 5, batch: 3, inputSize: 7, hiddenSize: 17, layers: 1, directions: 1, lengths: null },
  { time: 4, batch: 1, inputSize: 33, hiddenSize: 65, layers: 1, directions: 1, lengths: null },
  { time: 6, batch: 37, inputSize: 1, hiddenSize: 31, layers: 2, directions: 2, lengths: null },
  { time: 60, batch: 3, inputSize: 17, hiddenSize: 257, layers: 1, directions: 1, lengths: null },
  { time: 9, batch: 1, inputSize: 1030, hiddenSize: 129, layers: 1, directions: 1, lengths: null },
  { time: 5, batch: 4, inputSize: 16, hiddenSize: 257, layers: 2, directions: 1, lengths: [5, 0, 1, 3] },
];

// Numbers in ±1 from a linear congruential generator: the same in every process.
let state = 1;
function draw() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 31 - 1;
}
const drawFloats = (count, scale) => Float32Array.from({ length: count }, () => draw() * scale);

/** A matrix [3H, columns] as words of int8 or bfloat16 values. */
function drawWords(rows, columns, int8, scale) {
  const perWord = int8 ? 4 : 2;
  const words = new Int32Array(rows * Math.ceil(columns / perWord));
  const values = int8 ? new Int8Array(words.buffer) : new Uint16Array(words.buffer);
  const bits = new Uint32Array(1);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) {
      new Float32Array(bits.buffer)[0] = draw() * scale;
      values[(row * values.length) / rows + i] = int8 ? Math.round(draw() * 127) : bits[0] >>> 16;
    }
  }
  return words;
}

let lastHandle = 0;
function upload(device, values) {
  const handle = ++lastHandle;
  addon.upload(device, values, handle);
  return handle;
}

function run(device, shape, int8) {
  const { time, batch, inputSize, hiddenSize, layers, directions, lengths } = shape;
  const rows = 3 * hiddenSize;
  const scale = 1 / Math.sqrt(hiddenSize);
  const x = upload(device, drawFloats(time * batch * inputSize, 2));
  const initialHidden = upload(device, drawFloats(layers * directions * batch * hiddenSize, 1));
  const [words, scales, biases] = [[], [], []];
  for (let cell = 0; cell < layers * directions; ++cell) {
    for (const columns of [cell < directions ? inputSize : directions * hiddenSize, hiddenSize]) {
      words.push(upload(device, drawWords(rows, columns, int8, scale)));
      if (int8) scales.push(upload(device, drawFloats(rows, scale / 127)));
      biases.push(upload(device, drawFloats(rows, 0.5)));
    }
  }
  const [output, hidden] = [++lastHandle, ++lastHandle];
  const list = (handles) => Int32Array.from(handles);
  const sizes = [time, batch, inputSize, hiddenSize, layers, directions, true, false, true];
  const weights = [list(words), list(scales), list(biases)];
  addon.gruQuantized(
    device,
    ...sizes,
    lengths && Int32Array.from(lengths),
    int8,
    ...weights,
    x,
    initialHidden,
    output,
    hidden,
  );
  const values = new Float32Array(time * batch * directions * hiddenSize);
  addon.readSync(output, values);
  return Buffer.from(values.buffer).toString('base64');
}

const outputs = {};
if (report.available) {
  const device = addon.openDevice('cpu');
  for (const shape of CASES) {
    for (const int8 of [true, false]) {
      const { time, batch, inputSize, hiddenSize, layers, directions } = shape;
      const name = `${time}×${batch}×${inputSize}→${hiddenSize}, ${layers} layers, ${directions} directions`;
      outputs[`${int8 ? 'int8' : 'bfloat16'}, ${name}`] = run(device, shape, int8);
    }
  }
}
console.log(JSON.stringify({ description: report.description, reason: report.reason, outputs }));
