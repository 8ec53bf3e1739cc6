// Churn, fraud and failures from event logs whose best possible prediction is known. README.md says more.
import { data, Generator, progressDisplay, saveModel, tasks, uniform } from 'cudnn-gru';
import { outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';
import { printScores } from '../common/print_scores.js';
import { bestProbabilities, simulate } from './arrival_process.js';
import { countsAt } from './counts.js';
import { logisticRegression } from './logistic_regression.js';
import { churn, fraud, maintenance, type Setting } from './settings.js';

const { short, seed } = exampleOptions();
const output = outputFolder('events');

async function run(name: string, setting: Setting): Promise<void> {
  const { question, mechanism, mark, days, horizon } = setting;
  const entities = short ? 120 : setting.entities;
  const table = simulate(mechanism, { entities, days, ...(mark && { mark }), random: await randoms(seed) });
  console.log(`\n${question}; ${table.rows} events of ${entities} entities in ${days} days`);

  const sizes = { validation: 0.15, test: 0.25 };
  const display = await progressDisplay();
  const trained = await tasks.trainEventClassifier({
    table,
    entity: 'entity',
    time: 'day',
    features: ['kind'],
    ...(mark && { label: 'mark' }),
    horizon,
    ...sizes,
    hiddenSize: 32,
    bidirectional: false,
    dropout: 0.1,
    epochs: short ? 2 : 12,
    seed,
    onProgress: display.onProgress,
    onEpoch: display.onEpoch,
  });
  display.stop();
  const { model, result, evaluation } = trained;
  if (evaluation === null) throw new Error('there were no test examples');

  // The same moments again, for the others.
  const log = data.eventLog(table, { entity: 'entity', time: 'day', features: ['kind', 'mark'] });
  const marks = log.columns.get('mark') as Float64Array;
  const cuts = data.eventCuts(log, { horizon, ...(mark ? { target: 'event', marks } : { target: 'silence' }) });
  const { train, test } = data.splitCuts(cuts, sizes);
  const labels = Array.from(test, (cut) => cuts.labels[cut] as number);
  if (labels.join() !== evaluation.labels.join()) throw new Error('these are not the examples of the evaluation');
  const best = bestProbabilities(mechanism, log, cuts, mark);
  const counts = await logisticRegression(
    { rows: countsAt(log, cuts, train), labels: Array.from(train, (cut) => cuts.labels[cut] as number) },
    countsAt(log, cuts, test),
  );
  const predictions = {
    GRU: evaluation.probabilities.filter((_, i) => i % 2 === 1),
    'logistic regression on counts': counts,
    'best possible': Float64Array.from(test, (cut) => best[cut] as number),
  };
  console.log(`${result.steps} steps in ${result.seconds.toFixed(1)} s`);
  printScores('prediction', 32, predictions, labels);
  const positive = labels.reduce((sum, label) => sum + label, 0) / labels.length;
  console.log(`${test.length} test moments, ${(100 * positive).toFixed(1)} % of them positive`);
  await saveModel(`${output}${name}.safetensors`, model);
  await tasks.writeClassifierReport(`${output}${name}.html`, trained);
  model.dispose();
}

// Numbers from 0 to below 1, the same for the same seed.
async function randoms(seed: number): Promise<() => number> {
  const numbers = await uniform([4_000_000], 0, 1, { generator: new Generator(seed + 1000) }).data();
  let next = 0;
  return () => numbers[next++ % numbers.length] as number;
}

await run('churn', churn);
await run('fraud', fraud);
await run('maintenance', maintenance);
console.log(`\nmodels and reports: ${output}`);
