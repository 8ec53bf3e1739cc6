// Forecasts the next seven days of maximum temperature in Seattle with a two-layer GRU.
//
//   npm run demo               trains for a few seconds
//   npm run demo -- --short    two epochs, to see that everything works
//
// The model reads the last 60 days (temperatures, precipitation, wind, and where in the year they lie) and forecasts how much the maximum
// temperature will change from the last day to each of the next seven. The last year of the data is kept aside: neither the scaling nor
// the training nor the choice of the best epoch has seen it. The sizes and rates below were chosen by the loss on the validation part, the
// months before that year, too.
import { data, progressDisplay, saveModel, tasks } from 'cudnn-gru';
import { examplesFolder, outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';

const { short, seed } = exampleOptions();
const output = outputFolder('weather');

// 1. The data: 1,461 days, oldest first.
const inputs = ['temp_min', 'precipitation', 'wind'];
const table = await data.readCsv(`${examplesFolder}data/seattle-weather.csv`, {
  numeric: ['temp_max', ...inputs],
  text: ['date'],
});
console.log(`${table.rows} days of weather in Seattle; the last 365 are kept aside for the test.`);

// 2. Training, with a live display on stderr.
const display = await progressDisplay();
const trained = await tasks.trainForecaster({
  table,
  target: 'temp_max',
  inputs,
  time: 'date',
  window: 60,
  horizon: 7,
  test: 365,
  validation: 200,
  hiddenSize: 32,
  numLayers: 2,
  dropout: 0.2,
  epochs: short ? 2 : 15,
  learningRate: 0.003,
  seed,
  onProgress: display.onProgress,
  onEpoch: display.onEpoch,
});
display.stop();
const { model, result, evaluation } = trained;
console.log(
  `Trained for ${result.steps} steps in ${result.seconds.toFixed(1)} s; epoch ${result.bestEpoch} was the best.\n`,
);

// 3. The last year, unseen: errors in °C (MAE, RMSE) and relative to repeating the last value (MASE), for each day ahead.
if (evaluation === null) throw new Error('there were no test rows');
console.log(tasks.evaluationTable(evaluation, model));

// 4. What is kept: the model (weights, scaling and column names in one file), every forecast of the last year, and a report.
const modelFile = `${output}model.safetensors`;
const forecastsFile = `${output}forecasts.csv`;
const reportFile = `${output}report.html`;
await saveModel(modelFile, model);
await tasks.writeForecasts(forecastsFile, model, table, evaluation);
await tasks.writeForecasterReport(reportFile, trained, table, { title: 'Maximum temperature in Seattle', unit: '°C' });
console.log(`\nmodel:     ${modelFile}\nforecasts: ${forecastsFile}\nreport:    ${reportFile}`);

// 5. The model forecasts the week behind the end of the data. `loadModel(modelFile)` gives the same model again.
const { data: week } = await model.predict(table);
console.log(`\nThe week after the last day: ${Array.from(week, (degrees) => `${degrees.toFixed(1)} °C`).join(', ')}`);

// 6. In low precision: a model for inference that takes a quarter or half of the memory, and what that costs in accuracy.
for (const precision of ['int8', 'bfloat16'] as const) {
  const quantized = model.quantize(precision) as tasks.Forecaster;
  const { errors } = await tasks.evaluateForecaster(quantized, table);
  console.log(
    `${precision}: mean MAE ${errors.meanMae.toFixed(3)} °C; float32: ${evaluation.errors.meanMae.toFixed(3)} °C`,
  );
  quantized.dispose();
}
model.dispose();
