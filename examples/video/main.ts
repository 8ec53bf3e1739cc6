// Video: what moves, how it moves, and where it will be. Handwritten digits move through noise and are hidden in a third of the frames.
import {
  AdamW,
  data,
  Generator,
  losses,
  metrics,
  noGrad,
  schedules,
  scope,
  type Tensor,
  Trainer,
  tensor,
} from 'cudnn-gru';
import { outputFolder } from '../common/folders.js';
import { readMnist } from '../common/mnist.js';
import { exampleOptions } from '../common/options.js';
import { ahead, frames, motions, type Point, renderClip, side, VideoDataset } from './clips.js';
import { constantVelocity } from './tracker.js';
import { VideoModel } from './video_model.js';

const { short, seed, resume } = exampleOptions();
const output = outputFolder('video');

// 1. The clips: training and test digits are different ones, and no clip comes twice.
const digits = readMnist('train', short ? 500 : undefined);
const testDigits = readMnist('t10k', short ? 200 : undefined);
const train = new VideoDataset(digits, short ? 1000 : 40_000, 1);
const test = new VideoDataset(testDigits, short ? 200 : 4000, 2);
console.log(
  `${train.length} clips of ${frames} frames to learn from, ${test.length} for the test; the place is asked for ${ahead} frames ahead.`,
);

// 2. The same frames with a GRU, and without memory.
async function answers(memory: boolean) {
  const model = new VideoModel({ hiddenSize: 128, memory, generator: new Generator(seed) });
  const batches = new data.Batches(train, { batchSize: 64, shuffle: true, seed });
  const epochs = short ? 1 : 6;
  const optimizer = new AdamW(model.parameters(), { learningRate: 0.003, clipNorm: 1 });
  const trainer = new Trainer({
    model,
    optimizer,
    loss: ({ inputs, targets, batch }) => {
      const { digit, motion, place } = model.forward(inputs);
      const told = losses.crossEntropy(digit, column(batch, 0)).add(losses.crossEntropy(motion, column(batch, 1)));
      return told.add(losses.mse(place, targets.slice(1, 2, 4)).mul(20));
    },
    data: batches,
    epochs,
    schedule: schedules.oneCycle({ steps: epochs * batches.batchesPerEpoch }),
    seed,
    checkpoint: `${output}${memory ? 'gru' : 'frames'}.safetensors`,
    checkpointEvery: 100,
  });
  const { seconds } = await trainer.fit({ resume: resume && (await trainer.canResume()) });
  model.eval();
  const found = { digit: [] as number[], motion: [] as number[], place: [] as number[], seconds };
  for (const { inputs } of new data.Batches(test, { batchSize: 200 })) {
    const answer = scope(() => noGrad(() => model.forward(tensor(inputs.data, inputs.shape))));
    for (const name of ['digit', 'motion', 'place'] as const) {
      found[name].push(...(await (answer[name] as Tensor).data()));
      answer[name].dispose();
    }
  }
  model.dispose();
  optimizer.dispose();
  return found;
}

// A column of the targets as class numbers.
function column({ targets }: data.Batch, at: number): Tensor {
  return tensor(
    Int32Array.from({ length: targets.shape[0] as number }, (_, row) => targets.data[row * 4 + at] as number),
  );
}

const withMemory = await answers(true);
const without = await answers(false);

// 3. The tracker: constant velocity.
const clips = Array.from({ length: test.length }, (_, i) => renderClip(testDigits, test.seed, i));
const distance = (places: readonly Point[]) => {
  const distances = clips.map(({ centres }, i) => {
    const [x, y] = centres.at(-1) as Point;
    const [foundX, foundY] = places[i] as Point;
    return Math.hypot(foundX - x, foundY - y);
  });
  return distances.reduce((sum, one) => sum + one, 0) / distances.length;
};
const placesOf = ({ place }: typeof withMemory) =>
  clips.map((_, i): Point => [side * (place[2 * i] as number), side * (place[2 * i + 1] as number)]);

const [labels, moves] = [clips.map(({ digit }) => digit), clips.map(({ motion }) => motion)];
const share = (scores: number[], truth: number[], classes: number) =>
  `${(100 * metrics.accuracy(scores, truth, classes)).toFixed(1)} %`.padStart(9);
const pixels = (places: readonly Point[]) => `${distance(places).toFixed(2)} px`.padStart(11);
const row = (name: string, found: typeof withMemory) =>
  `${name.padEnd(30)}${share(found.digit, labels, 10)}${share(found.motion, moves, motions.length)}${pixels(placesOf(found))}`;
console.log(`\n${''.padEnd(30)}    digit   motion  place ahead`);
console.log(row(`GRU (${withMemory.seconds.toFixed(0)} s)`, withMemory));
console.log(row(`each frame alone (${without.seconds.toFixed(0)} s)`, without));
console.log(`${'constant velocity'.padEnd(48)}${pixels(clips.map(constantVelocity))}`);
console.log(`${'always the middle'.padEnd(48)}${pixels(clips.map((): Point => [side / 2, side / 2]))}`);
