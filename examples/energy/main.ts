// Forecasts the electricity demand of the next 24 hours, with intervals, from the last week.
//
// The sizes and rates were chosen by the loss on the validation weeks, which end where the last four weeks, the test, begin.
import { data, progressDisplay, saveModel, tasks } from 'cudnn-gru';
import { fromWheel } from '../common/fetch.js';
import { outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';

const { short, seed } = exampleOptions();
const output = outputFolder('energy');

const wheel = fromWheel('statsmodels', '0.14.6');
const table = await data.readCsv(`${wheel}/statsmodels/tsa/stl/tests/results/mstl_elec_vic.csv`, {
  numeric: ['y'],
  text: ['ds'],
});
console.log(`${table.rows} hours of demand in Victoria; the last four weeks are kept aside for the test.`);

const display = await progressDisplay();
const options = {
  table,
  target: 'y',
  time: 'ds',
  calendar: ['day', 'week'],
  seasons: [24, 168],
  quantiles: [0.05, 0.25, 0.5, 0.75, 0.95],
  window: 168,
  horizon: 24,
  test: 28 * 24,
  validation: 21 * 24,
  hiddenSize: 48,
  numLayers: 1,
  dropout: 0.1,
  epochs: short ? 1 : 15,
  learningRate: 0.003,
  seed,
  onProgress: display.onProgress,
  onEpoch: display.onEpoch,
} satisfies tasks.TrainForecasterOptions;

// 1. Trained once, for the four weeks.
const trained = await tasks.trainForecaster(options);
const { model, evaluation } = trained;
if (evaluation === null) throw new Error('there were no test rows');
console.log(`\n${tasks.evaluationTable(evaluation, model)}\n`);

// 2. Trained anew each week, as it would be used, with two weeks of validation.
const weekly = { ...options, test: 7 * 24, validation: 14 * 24, folds: short ? 2 : 4 };
const backtest = await tasks.backtestForecaster(weekly);
display.stop();
console.log(`\n${tasks.backtestTable(backtest)}`);

await saveModel(`${output}model.safetensors`, model);
await tasks.writeForecasts(`${output}forecasts.csv`, model, table, evaluation);
await tasks.writeForecasterReport(`${output}report.html`, trained, table, {
  title: 'Electricity demand of Victoria',
  unit: 'MW',
});
console.log(`\nThe model, the forecasts of the test and a report are in ${output}`);
model.dispose();
