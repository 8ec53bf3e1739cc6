// Patient monitoring: a model of one heart's usual beats finds the unusual ones. README.md says more.
import { data, progressDisplay, saveModel, tasks } from 'cudnn-gru';
import { fromWheel } from '../common/fetch.js';
import { outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';

const { short, seed } = exampleOptions();
const output = outputFolder('ecg');
const folder = `${fromWheel('aeon', '1.6.0')}/aeon/datasets/data/UnitTest`;
const numeric = ['value-0', 'is_anomaly'];
const normal = await data.readCsv(`${folder}/ecg-diff-count-3_TRAIN_NA.csv`, { numeric });
const test = await data.readCsv(`${folder}/ecg-diff-count-3_TEST.csv`, { numeric });

const display = await progressDisplay();
const trained = await tasks.trainDetector({
  table: normal,
  inputs: ['value-0'],
  window: 100,
  learningRate: 0.01,
  quantile: 1,
  epochs: short ? 1 : 10,
  seed,
  onProgress: display.onProgress,
  onEpoch: display.onEpoch,
});
display.stop();

const { model, result } = trained;
console.log(`${result.steps} steps in ${result.seconds.toFixed(1)} s\n`);
const evaluation = await tasks.evaluateDetector(model, test, { label: 'is_anomaly' });
console.log(tasks.detectionTable(evaluation));

await saveModel(`${output}model.safetensors`, model);
await tasks.writeDetectorReport(`${output}report.html`, { ...trained, evaluation }, test, {
  title: 'Unusual heart beats',
  label: 'is_anomaly',
});
console.log(`\nmodel and report: ${output}`);
model.dispose();
