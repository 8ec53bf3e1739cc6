// A heart watched beat by beat: a detector gets samples one by one, keeps its state, and says the same as on the whole recording. README.md says more.
import { data, noGrad, tasks, tensor } from 'cudnn-gru';
import { fromWheel } from '../common/fetch.js';
import { exampleOptions } from '../common/options.js';

const { short, seed } = exampleOptions();
const folder = `${fromWheel('aeon', '1.6.0')}/aeon/datasets/data/UnitTest`;
const read = (name: string) =>
  data.readCsv(`${folder}/ecg-diff-count-3_${name}.csv`, { numeric: ['value-0', 'is_anomaly'] });
const [normal, recording] = await Promise.all([read('TRAIN_NA'), read('TEST')]);
const { model } = await tasks.trainDetector({
  table: normal,
  inputs: ['value-0'],
  window: 60,
  epochs: short ? 1 : 5,
  learningRate: 0.01,
  quantile: 1,
  seed,
});

const [series] = tasks.detectionSeries(recording, { inputs: ['value-0'] });
if (series === undefined) throw new Error('there are no samples');
const samples = Array.from(series.values);
const took = new Map<string, Float64Array>();

// Each sample is sent when the one before is answered, as a monitor would.
async function timed<T>(name: string, step: (sample: number) => T | Promise<T>): Promise<T[]> {
  const times = new Float64Array(samples.length);
  const answers: T[] = [];
  for (const [i, sample] of samples.entries()) {
    const begin = performance.now();
    answers.push(await step(sample));
    times[i] = 1000 * (performance.now() - begin);
  }
  took.set(name, times.sort());
  return answers;
}

// 1. The detector: scaling, the GRU, the expectation, the score.
const watch = new tasks.DetectionStream(model);
const detections = await timed('DetectionStream.push', (sample) => watch.push([sample]));
watch.close();
const batch = await tasks.scoreRows(model, series);
const same = detections.filter(({ score }, i) => score === batch[i]).length;
console.log(`${same} of ${batch.length} scores are the same bits as those of the whole recording`);
const { threshold } = tasks.detectionPreprocessingOf(model);
const first = detections.findIndex(({ score }) => score > threshold);
console.log(
  `first alarm at sample ${first}; the first anomaly begins at ${series.tableRows.length > 0 ? firstLabel() : -1}`,
);

// 2. The GRU alone, with its state in native memory: through the queue, and by the calling thread itself.
const whole = noGrad(() => model.gru.forward(tensor(series.values, [1, samples.length, 1])).output);
const expected = await whole.data();
const streams = { push: model.gru.createStream(), stepSync: model.gru.createStream() };
const outputs = {
  push: await timed('Stream.push', (sample) => streams.push.push(Float32Array.of(sample))),
  stepSync: await timed('Stream.stepSync', (sample) => streams.stepSync.stepSync(Float32Array.of(sample))),
};
for (const [name, rows] of Object.entries(outputs)) {
  const equal = rows.every((row, t) => row.every((value, i) => value === expected[t * row.length + i]));
  console.log(`Stream.${name}: ${equal ? 'the same bits as' : 'DIFFERENT from'} the whole sequence`);
}
for (const stream of Object.values(streams)) stream.close();

console.log(
  `\n${'microseconds for each sample'.padEnd(30)}${['50%', '95%', '99%', '99.9%', 'most'].map((name) => name.padStart(9)).join('')}`,
);
for (const [name, times] of took) {
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))] as number;
  const cells = [0.5, 0.95, 0.99, 0.999, 1].map((share) => at(share).toFixed(1).padStart(9));
  console.log(`${name.padEnd(30)}${cells.join('')}`);
}
model.dispose();

function firstLabel(): number {
  return (recording.columns.get('is_anomaly') as Float64Array).indexOf(1);
}
