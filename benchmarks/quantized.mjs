// `npm run bench:quantized [-- --threads 1]`: inference in int8 and bfloat16 beside the same model in float32, in one run, round by round.
import { devices, GRU, getThreads, noGrad, setThreads, tensor } from '../dist/index.js';

const threadsAt = process.argv.indexOf('--threads');
setThreads(threadsAt < 0 ? 1 : Number(process.argv[threadsAt + 1]));

// time × batch × input → hidden; the goals are for the two largest with one row.
const shapes = [
  [100, 1, 128, 256],
  [50, 1, 512, 512, { int8: 3, bfloat16: 1.7 }],
  [50, 1, 1024, 1024, { int8: 3, bfloat16: 1.7 }],
  [1, 1, 512, 512],
  [100, 32, 128, 256],
  [100, 64, 256, 512],
];
const rounds = 15;
const roundMilliseconds = 40;
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

function milliseconds(run, repeats) {
  const start = performance.now();
  for (let i = 1; i <= repeats; i++) {
    const { output, hidden } = run();
    if (i === repeats) output.dataSync();
    output.dispose();
    hidden.dispose();
  }
  return (performance.now() - start) / repeats;
}

console.log(`${devices().find(({ name }) => name === 'cpu').description}; computing with ${getThreads()}\n`);
console.log('| T×B×I→H | float32 ms | int8 ms | × | bfloat16 ms | × | largest error, int8 | bfloat16 |');
console.log('|---|---|---|---|---|---|---|---|');
for (const [time, batch, inputSize, hiddenSize, goals] of shapes) {
  const gru = new GRU({ inputSize, hiddenSize, timeMajor: true }).eval();
  const models = [gru, gru.quantize('int8'), gru.quantize('bfloat16')];
  const numbers = Float32Array.from({ length: time * batch * inputSize }, () => 2 * Math.random() - 1);
  const x = tensor(numbers, [time, batch, inputSize]);
  const runs = models.map((model) => () => noGrad(() => model.forward(x)));
  const outputs = runs.map((run) => run().output.dataSync());
  const repeats = runs.map((run) => Math.max(1, Math.round(roundMilliseconds / milliseconds(run, 3))));
  const times = runs.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, run] of runs.entries()) times[i].push(milliseconds(run, repeats[i]));
  }
  const ratio = (i) => median(times[0].map((float32, round) => float32 / times[i][round]));
  const error = (i) => outputs[i].reduce((most, value, at) => Math.max(most, Math.abs(value - outputs[0][at])), 0);
  const judged = (i, goal) =>
    `${ratio(i).toFixed(2)}${goal ? (ratio(i) >= goal ? ` ≥ ${goal}` : ` **< ${goal}**`) : ''}`;
  const cells = [
    `${time}×${batch}×${inputSize}→${hiddenSize}`,
    median(times[0]).toFixed(3),
    median(times[1]).toFixed(3),
    judged(1, goals?.int8),
    median(times[2]).toFixed(3),
    judged(2, goals?.bfloat16),
    error(1).toFixed(4),
    error(2).toFixed(4),
  ];
  console.log(`| ${cells.join(' | ')} |`);
  for (const model of models) model.dispose();
  x.dispose();
}
