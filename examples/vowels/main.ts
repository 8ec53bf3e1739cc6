// Tells nine speakers apart by how they say two vowels, with a bidirectional GRU over 7 to 29 frames of 12 coefficients.
import { readFileSync } from 'node:fs';
import { data, saveModel, tasks } from 'cudnn-gru';
import { fromWheel } from '../common/fetch.js';
import { outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';

const { short, seed } = exampleOptions();
const output = outputFolder('vowels');
const channels = 12;

/** One utterance: [frames, channels], and who spoke. */
interface Utterance {
  readonly frames: number[][];
  readonly speaker: number;
}

// 1. The data, in their own split: a line for each utterance, channels with colons between them, the speaker (1 to 9) last.
const folder = fromWheel('sktime', '1.2.0');
function readUtterances(part: 'TRAIN' | 'TEST'): Utterance[] {
  const text = readFileSync(`${folder}/sktime/datasets/data/JapaneseVowels/JapaneseVowels_${part}.ts`, 'utf8');
  const lines = text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('@'));
  return lines.map((line) => {
    const fields = line.split(':');
    const series = fields.slice(0, channels).map((values) => values.split(',').map(Number));
    const frames = (series[0] as number[]).map((_, t) => series.map((values) => values[t] as number));
    return { frames, speaker: Number(fields[channels]) - 1 };
  });
}
const [train, test] = [readUtterances('TRAIN'), readUtterances('TEST')];
const classes = Array.from({ length: 9 }, (_, speaker) => `speaker ${speaker + 1}`);
const scaler = data.fitStandardScaler(
  train.flatMap(({ frames }) => frames.flat()),
  channels,
);
function dataset(utterances: readonly Utterance[]) {
  return new data.SequenceDataset({
    sequences: utterances.map(({ frames }) => ({
      data: scaler.transform(frames.flat()),
      shape: [frames.length, channels],
    })),
    targets: Int32Array.from(utterances, ({ speaker }) => speaker),
  });
}
console.log(`${train.length} utterances to learn from, ${test.length} to be told apart.`);

// 2. One model for each of five seeds.
const seeds = short ? [seed] : [0, 1, 2, 3, 4].map((i) => seed + i);
const accuracies: number[] = [];
for (const one of seeds) {
  const trained = await tasks.trainClassifier({
    classes,
    train: dataset(train),
    test: dataset(test),
    inputSize: channels,
    hiddenSize: 64,
    pooling: 'mean',
    dropout: 0.4,
    epochs: short ? 15 : 100,
    batchSize: 16,
    learningRate: 0.005,
    seed: one,
    preprocessing: { scaler: { ...scaler.toJSON() } },
  });
  const { accuracy } = (trained.evaluation as tasks.ClassifierEvaluation).scores;
  accuracies.push(accuracy);
  console.log(`seed ${one}: ${percent(accuracy)} in ${trained.result.seconds.toFixed(1)} s`);
  if (one === seed) {
    await saveModel(`${output}model.safetensors`, trained.model);
    await tasks.writeClassifierReport(`${output}report.html`, trained, { title: 'Who says the vowels' });
  }
  for (const precision of ['int8', 'bfloat16'] as const) {
    const quantized = trained.model.quantize(precision) as tasks.Classifier;
    const { scores } = await tasks.evaluateClassifier(quantized, dataset(test));
    console.log(`  ${precision}: ${percent(scores.accuracy)}`);
    quantized.dispose();
  }
  trained.model.dispose();
}

// 3. Beside it: the most frequent speaker, and the nearest training utterance by dynamic time warping.
const counts = classes.map((_, speaker) => test.filter((one) => one.speaker === speaker).length);
const nearest = test.map(({ frames }) => {
  const distances = train.map((one) => warpedDistance(frames, one.frames));
  return train[distances.indexOf(Math.min(...distances))]?.speaker;
});
const right = test.filter(({ speaker }, i) => speaker === nearest[i]).length;
const mean = accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / accuracies.length;
console.log(`\nbidirectional GRU, mean of ${seeds.length} seed(s)   ${percent(mean)}`);
console.log(`nearest neighbour by DTW            ${percent(right / test.length)}`);
console.log(`most frequent speaker               ${percent(Math.max(...counts) / test.length)}`);

// The least sum of squared distances over all ways to align two sequences.
function warpedDistance(a: readonly number[][], b: readonly number[][]): number {
  let above = [0, ...b.map(() => Number.POSITIVE_INFINITY)];
  for (const frame of a) {
    const row = [Number.POSITIVE_INFINITY];
    for (const [j, other] of b.entries()) {
      const cost = frame.reduce((sum, value, c) => sum + (value - (other[c] as number)) ** 2, 0);
      row.push(cost + Math.min(above[j] as number, above[j + 1] as number, row[j] as number));
    }
    above = row;
  }
  return above[b.length] as number;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
