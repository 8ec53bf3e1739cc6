// Recommends the next item of a session: a GRU over item numbers beside the most popular items and what followed the last item before. README.md says more.
import {
  AdamW,
  data,
  Generator,
  losses,
  noGrad,
  progressDisplay,
  saveModel,
  schedules,
  Trainer,
  tasks,
  tensor,
  uniform,
} from 'cudnn-gru';
import { outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';
import { bestPredictions, makeShop, simulateSessions } from './sessions.js';

const { short, seed } = exampleOptions();
const output = outputFolder('next-item');
const length = 20;
const items = 200;

// 1. The sessions: the first are for training, some for the choice of the epoch, the rest for the test.
const numbers = await uniform([1_500_000], 0, 1, { generator: new Generator(seed + 1000) }).data();
let used = 0;
const random = () => numbers[used++ % numbers.length] as number;
const shop = makeShop(items, 4, random);
const sessionsOf = (sessions: number) => simulateSessions(shop, { sessions, length, random });
const [train, validation, test] = [sessionsOf(short ? 2000 : 20_000), sessionsOf(1000), sessionsOf(2000)];

// 2. Training: every item is to be foretold from those before it.
const model = new tasks.LanguageModel({
  vocabularySize: items,
  embeddingSize: 64,
  hiddenSize: 96,
  generator: new Generator(seed),
});
const sizes = { batchSize: 64, seed };
const batches = (of: Int32Array, shuffle: boolean) => {
  const inputs = { data: of, shape: [of.length / length, length] };
  return new data.Batches(new data.ArrayDataset({ inputs, targets: new Float32Array(of.length / length) }), {
    ...sizes,
    shuffle,
  });
};
const epochs = short ? 2 : 8;
const training = batches(train, true);
const optimizer = new AdamW(model.parameters(), { learningRate: 5e-3, weightDecay: 0.01, clipNorm: 1 });
const display = await progressDisplay();
const trainer = new Trainer({
  model,
  optimizer,
  loss: ({ inputs }) => {
    const { logits } = model.forward(inputs.slice(1, 0, length - 1));
    const rows = inputs.shape[0] as number;
    return losses.crossEntropy(
      logits.reshape(rows * (length - 1), items),
      inputs.slice(1, 1).reshape(rows * (length - 1)),
    );
  },
  data: training,
  validation: batches(validation, false),
  epochs,
  schedule: schedules.oneCycle({ steps: epochs * training.batchesPerEpoch }),
  seed,
  onProgress: display.onProgress,
  onEpoch: display.onEpoch,
});
const result = await trainer.fit();
display.stop();
model.eval();
console.log(`${result.steps} steps in ${result.seconds.toFixed(1)} s\n`);

// 3. How high each prediction places the item that came: of 200, is it among the first ten, and the mean of 1 / place.
const popular = new Float64Array(items);
const followed = new Float64Array(items * items);
for (const [i, item] of train.entries()) {
  popular[item] = (popular[item] as number) + 1;
  if (i % length > 0) {
    const pair = (train[i - 1] as number) * items + item;
    followed[pair] = (followed[pair] as number) + 1;
  }
}
const measured = new Map<string, { hits: number; reciprocal: number; steps: number }>();
function measure(name: string, scores: ArrayLike<number>, came: number): void {
  const own = scores[came] as number;
  let place = 1;
  // Half of the equal ones stand before it.
  for (let item = 0; item < items; item++) {
    if (item !== came && (scores[item] as number) >= own) place += scores[item] === own ? 0.5 : 1;
  }
  const sum = measured.get(name) ?? { hits: 0, reciprocal: 0, steps: 0 };
  measured.set(name, {
    hits: sum.hits + Number(place <= 10),
    reciprocal: sum.reciprocal + 1 / place,
    steps: sum.steps + 1,
  });
}
const scored = 100; // sessions at a time
for (let first = 0; first < test.length; first += scored * length) {
  const some = test.subarray(first, first + scored * length);
  const logits = await noGrad(() => model.forward(tensor(some, [some.length / length, length])).logits).data();
  for (let i = 0; i < some.length; i++) {
    if (i % length === length - 1) continue;
    const [item, came] = [some[i] as number, some[i + 1] as number];
    measure('most popular', popular, came);
    // A pair that never came says nothing: popularity decides.
    const after = followed.subarray(item * items, (item + 1) * items);
    measure(
      'bigram',
      after.map((count, next) => count + (popular[next] as number) / train.length),
      came,
    );
    measure('GRU', logits.subarray(i * items, (i + 1) * items), came);
  }
}
for (let first = 0; first < test.length; first += length) {
  const session = test.subarray(first, first + length);
  bestPredictions(shop, session, (t, probabilities) =>
    measure('best possible', probabilities, session[t + 1] as number),
  );
}
console.log(`${'prediction'.padEnd(16)}hit rate @10       MRR`);
for (const [name, { hits, reciprocal, steps }] of measured) {
  console.log(
    `${name.padEnd(16)}${(hits / steps).toFixed(4).padStart(12)}${(reciprocal / steps).toFixed(4).padStart(10)}`,
  );
}
await saveModel(`${output}model.safetensors`, model);
console.log(`\nmodel: ${output}model.safetensors`);
for (const one of [trainer, optimizer, model]) one.dispose();
