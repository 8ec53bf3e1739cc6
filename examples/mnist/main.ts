// Reads handwritten digits row by row: a sequence of 28 steps with 28 features each, with a bidirectional GRU.
import {
  AdamW,
  data,
  Generator,
  Linear,
  losses,
  metrics,
  noGrad,
  progressDisplay,
  saveModel,
  scope,
  Trainer,
  tasks,
  tensor,
} from 'cudnn-gru';
import { outputFolder } from '../common/folders.js';
import { type Digits, readMnist, side } from '../common/mnist.js';
import { exampleOptions } from '../common/options.js';

const { short, seed } = exampleOptions();
const output = outputFolder('mnist');

// 1. The data: the last 5,000 training digits choose the epoch.
const all = readMnist('train', short ? 4000 : undefined);
const digits = readMnist('t10k', short ? 1000 : undefined);
const held = short ? 500 : 5000;
const dataset = ({ pixels, labels }: Digits) =>
  new data.ArrayDataset({ inputs: { data: pixels, shape: [labels.length, side, side] }, targets: labels });
const count = all.labels.length;
const indices = Int32Array.from({ length: count }, (_, i) => i);
const [train, validation, test] = [
  new data.Subset(dataset(all), indices.subarray(0, count - held)),
  new data.Subset(dataset(all), indices.subarray(count - held)),
  dataset(digits),
];
const classes = Array.from({ length: 10 }, (_, digit) => String(digit));
console.log(
  `${train.length} digits to learn from, ${validation.length} to choose the epoch, ${test.length} for the test.`,
);

// 2. The GRU.
const display = await progressDisplay();
const trained = await tasks.trainClassifier({
  classes,
  train,
  validation,
  test,
  inputSize: side,
  hiddenSize: 128,
  pooling: 'max',
  dropout: 0.3,
  epochs: short ? 3 : 12,
  batchSize: short ? 32 : 128,
  learningRate: 0.004,
  seed,
  onProgress: display.onProgress,
  onEpoch: display.onEpoch,
});
display.stop();
const { model, result, evaluation } = trained;
console.log(
  `Trained for ${result.steps} steps in ${result.seconds.toFixed(1)} s; epoch ${result.bestEpoch} was the best.\n`,
);
console.log(tasks.classificationTable(model, evaluation as tasks.ClassifierEvaluation));
await saveModel(`${output}model.safetensors`, model);
await tasks.writeClassifierReport(`${output}report.html`, trained, { title: 'Handwritten digits, row by row' });
model.dispose();

// 3. Beside it: one linear layer over all pixels.
const linear = new Linear({ inputSize: side * side, outputSize: 10, generator: new Generator(seed) });
await new Trainer({
  model: linear,
  optimizer: new AdamW(linear.parameters(), { learningRate: 1e-3 }),
  loss: ({ inputs, targets }) => losses.crossEntropy(linear.forward(inputs.reshape(-1, side * side)), targets),
  data: new data.Batches(train, { batchSize: 128, shuffle: true, seed }),
  validation: new data.Batches(validation, { batchSize: 500 }),
  epochs: short ? 3 : 15,
}).fit();
const logits = scope(() => noGrad(() => linear.forward(tensor(digits.pixels, [digits.labels.length, side * side]))));
const linearAccuracy = metrics.accuracy((await logits.data()) as Float32Array, digits.labels, 10);
console.log(`\nlinear baseline: ${(100 * linearAccuracy).toFixed(2)} %`);
console.log(`model:  ${output}model.safetensors\nreport: ${output}report.html`);
