// Forecasts the quantiles of tomorrow's return of the S&P 500: its direction, and its risk.
//
// The direction is shown beside the random walk, and the risk beside a rolling standard deviation, an exponentially weighted one, and a
// GARCH(1,1). The sizes and rates were chosen by the loss on the validation days; the last four years were looked at once.
import { data, metrics, progressDisplay, saveModel, tasks } from 'cudnn-gru';
import { fromNpm } from '../common/fetch.js';
import { outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';
import { exponentialVolatility, garchVolatility, rollingVolatility } from './volatility.js';

const { short, seed } = exampleOptions();
const output = outputFolder('prices');

// 1. Daily returns in percent, and what tells of the day's unrest.
const raw = await data.readCsv(`${fromNpm('vega-datasets', '3.2.1')}/data/sp500-2000.csv`, {
  numeric: ['high', 'low', 'close'],
  text: ['date'],
});
const [high, low, close] = ['high', 'low', 'close'].map((name) => data.numericColumn(raw, name)) as [
  Float64Array,
  Float64Array,
  Float64Array,
];
const percent = (a: number, b: number) => 100 * Math.log(a / b);
const returns = close.subarray(1).map((value, i) => percent(value, close[i] as number));
const table: data.Table = {
  source: raw.source,
  rows: returns.length,
  columns: new Map<string, Float64Array | readonly string[]>([
    ['date', (raw.columns.get('date') as readonly string[]).slice(1)],
    ['return', returns],
    ['size', returns.map(Math.abs)],
    ['range', high.subarray(1).map((value, i) => percent(value, low[i + 1] as number))],
  ]),
};

// 2. The model: quantiles of the next day's return.
const levels = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];
const test = 1000;
const window = 60;
const display = await progressDisplay();
const trained = await tasks.trainForecaster({
  table,
  target: 'return',
  inputs: ['size', 'range'],
  time: 'date',
  calendar: [],
  targetMode: 'level',
  quantiles: levels,
  window,
  horizon: 1,
  test,
  validation: 750,
  hiddenSize: 16,
  numLayers: 1,
  dropout: 0.2,
  epochs: short ? 1 : 15,
  learningRate: 0.002,
  seed,
  onProgress: display.onProgress,
  onEpoch: display.onEpoch,
});
display.stop();
const { model, evaluation } = trained;
if (!evaluation?.quantiles) throw new Error('there were no test rows');
const { truth, forecasts, quantiles } = evaluation;
const first = (evaluation.starts[0] as number) + window;

// 3. The direction. The random walk says that tomorrow is as today: a return of 0.
const mean = (of: (i: number) => number) => truth.reduce((sum, _, i) => sum + of(i), 0) / truth.length;
const [usual = 0] = metrics.quantiles(returns.subarray(0, first), [0.5]);
const absolute = (forecast: (i: number) => number) =>
  mean((i) => Math.abs((truth[i] as number) - forecast(i))).toFixed(4);
console.log(`\n${truth.length} days, mean absolute error of the next day's return in percentage points:`);
console.log(`  GRU             ${absolute((i) => forecasts[i] as number)}`);
console.log(`  random walk     ${absolute(() => 0)}`);
console.log(`  median before   ${absolute(() => usual)}`);
const gains = truth.map((value, i) => Math.abs(value) - Math.abs(value - (forecasts[i] as number)));
const gain = mean((i) => gains[i] as number);
const error = 1.96 * Math.sqrt(mean((i) => ((gains[i] as number) - gain) ** 2) / truth.length);
console.log(`  GRU better than the random walk by ${gain.toFixed(4)} ± ${error.toFixed(4)} (95 %)`);

// 4. The risk. Each deviation is fitted on the days before the test; its quantiles are those of the returns there in units of it.
const deviations: [string, Float64Array][] = [
  ['rolling 21 days', rollingVolatility(returns, 21)],
  ['EWMA 0.94', exponentialVolatility(returns, 0.94)],
  ['GARCH(1,1)', garchVolatility(returns, first)],
];
const scored = deviations.map(([name, deviation]) => {
  const before = Array.from({ length: first - 250 }, (_, i) => 250 + i);
  const units = before.map((row) => (returns[row] as number) / (deviation[row] as number));
  const at = metrics.quantiles(units, levels);
  const sigma = Math.sqrt(units.reduce((sum, unit) => sum + unit ** 2, 0) / units.length);
  return {
    name,
    quantiles: Float64Array.from({ length: truth.length * levels.length }, (_, i) => {
      return (deviation[first + Math.floor(i / levels.length)] as number) * (at[i % levels.length] as number);
    }),
    sigma: (i: number) => sigma * (deviation[first + i] as number),
  };
});
// The model's deviation: what a normal distribution with its 90 % interval would have.
const width = (i: number) =>
  (quantiles[i * levels.length + 5] as number) - (quantiles[i * levels.length + 1] as number);
scored.unshift({ name: 'GRU', quantiles: Float64Array.from(quantiles), sigma: (i) => width(i) / (2 * 1.645) });

console.log('\n                    CRPS   in 90 %  below 5 %  below 1 %   QLIKE   MAE of |r|');
for (const method of scored) {
  const { crps, below } = metrics.quantileErrors(method.quantiles, truth, levels);
  const inside = 100 * ((below[5] as number) - (below[1] as number));
  const variance = (i: number) => method.sigma(i) ** 2;
  const qlike = mean((i) => Math.log(variance(i)) + (truth[i] as number) ** 2 / variance(i));
  // The median of |r| is 0.6745 deviations of a normal distribution.
  const size = mean((i) => Math.abs(Math.abs(truth[i] as number) - 0.6745 * method.sigma(i)));
  const cells = [crps.toFixed(4), inside.toFixed(1), ...[1, 0].map((q) => (100 * (below[q] as number)).toFixed(1))];
  const line = [...cells, qlike.toFixed(4), size.toFixed(4)].map((cell, i) =>
    cell.padStart([6, 9, 11, 11, 8, 13][i] as number),
  );
  console.log(`  ${method.name.padEnd(16)}${line.join('')}`);
}

await saveModel(`${output}model.safetensors`, model);
await tasks.writeForecasts(`${output}forecasts.csv`, model, table, evaluation);
await tasks.writeForecasterReport(`${output}report.html`, trained, table, {
  title: 'Returns of the S&P 500',
  unit: '%',
});
console.log(`\nThe model, the forecasts of the test and a report are in ${output}`);
model.dispose();
