// Churn on real events: 18 months of a shop's purchases. Who has bought within 60 days, and does not come back within the next 60?
import { readFileSync } from 'node:fs';
import { data, progressDisplay, saveModel, tasks } from 'cudnn-gru';
import { fromWheel } from '../common/fetch.js';
import { outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';
import { printScores } from '../common/print_scores.js';
import { logisticRegression } from '../events/logistic_regression.js';

const { short, seed } = exampleOptions();
const output = outputFolder('customers');
const horizon = 60;

// 1. The data: each line a purchase. Asked every 20 days; the parts follow each other in time.
const rows = readFileSync(`${fromWheel('btyd', '0.1a1')}/btyd/datasets/CDNOW_master.txt`, 'utf8')
  .split(/\r?\n/)
  .slice(1)
  .map((line) => line.trim().split(/\s+/))
  .filter(([customer]) => customer && (!short || Number(customer) <= 1000));
const table: data.Table = {
  source: 'CDNOW_master.txt',
  rows: rows.length,
  firstRow: 2,
  columns: new Map<string, Float64Array | string[]>([
    ['customer', rows.map(([customer]) => customer as string)],
    ['day', rows.map(([, date]) => (date as string).replace(/(....)(..)(..)/, '$1-$2-$3'))],
    // Sums are skewed: as logarithms.
    ['disks', Float64Array.from(rows, ([, , disks]) => Math.log1p(Number(disks)))],
    ['dollars', Float64Array.from(rows, ([, , , dollars]) => Math.log1p(Number(dollars)))],
  ]),
};
const log = data.eventLog(table, { entity: 'customer', time: 'day', features: ['dollars'] });
const cuts = data.eventCuts(log, { target: 'silence', horizon, every: 20 });
const sizes = { validation: 0.25, test: 0.3 };
const { train, test } = data.splitCuts(cuts, sizes);
const labelsOf = (part: Int32Array) => Array.from(part, (cut) => cuts.labels[cut] as number);
const labels = labelsOf(test);
console.log(`${rows.length} purchases of ${log.entities.length} customers`);
console.log(`${train.length} moments to learn from; ${test.length} for the test, all later\n`);

// 2. The GRU reads the purchases themselves.
const display = await progressDisplay();
const trained = await tasks.trainEventClassifier({
  table,
  entity: 'customer',
  time: 'day',
  features: ['disks', 'dollars'],
  horizon,
  every: 20,
  ...sizes,
  hiddenSize: 32,
  bidirectional: false,
  dropout: 0.1,
  epochs: short ? 2 : 8,
  batchSize: 128,
  seed,
  onProgress: display.onProgress,
  onEpoch: display.onEpoch,
});
display.stop();
const { model, result, evaluation } = trained;
if (evaluation?.labels.join() !== labels.join()) throw new Error('these are not the examples of the evaluation');
console.log(`${result.steps} steps in ${result.seconds.toFixed(1)} s; epoch ${result.bestEpoch} was the best\n`);

// 3. Beside it what marketing reads: how lately, how often, how much; and how lately alone.
function recencyFrequencyMoney(part: Int32Array): number[][] {
  const dollars = log.columns.get('dollars') as Float64Array;
  return Array.from(part, (cut) => {
    const time = cuts.times[cut] as number;
    const start = log.starts[cuts.entities[cut] as number] as number;
    let [count, recent, spent, last] = [0, 0, 0, 0];
    for (let event = start; event < (log.starts[(cuts.entities[cut] as number) + 1] as number); event++) {
      const at = log.times[event] as number;
      if (at > time) break;
      count++;
      if (at > time - horizon) recent++;
      spent += dollars[event] as number;
      last = at;
    }
    const sinceFirst = time - (log.times[start] as number);
    return [Math.log1p(time - last), Math.log(count), Math.log(recent), spent / count, Math.log1p(sinceFirst)];
  });
}
const [learnt, asked] = [recencyFrequencyMoney(train), recencyFrequencyMoney(test)];
const regression = await logisticRegression({ rows: learnt, labels: labelsOf(train) }, asked);
const lately = await logisticRegression(
  { rows: learnt.map(([recency]) => [recency as number]), labels: labelsOf(train) },
  asked.map(([recency]) => [recency as number]),
);

const predictions = {
  GRU: evaluation.probabilities.filter((_, i) => i % 2 === 1),
  'logistic regression: recency, frequency, money': regression,
  'logistic regression: recency': lately,
};
printScores('who stays away', 48, predictions, labels);
const away = labels.reduce((sum, label) => sum + label, 0) / labels.length;
console.log(`${(100 * away).toFixed(1)} % of the test moments`);
await saveModel(`${output}model.safetensors`, model);
await tasks.writeClassifierReport(`${output}report.html`, trained);
console.log(`\nmodel:  ${output}model.safetensors\nreport: ${output}report.html`);
model.dispose();
