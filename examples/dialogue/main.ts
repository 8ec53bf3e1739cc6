// Dialogue: what is answered to what was said, learnt from Shakespeare's plays; README.md says how it is measured.
import { data, progressDisplay, saveModel, tasks } from 'cudnn-gru';
import { outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';
import { readExchanges } from './plays.js';
import { similarity, TfIdf } from './tf_idf.js';

const { short, seed, resume } = exampleOptions();
const output = outputFolder('dialogue');

// 1. The data. Four plays are held out whole; a part of the others' exchanges chooses the epoch.
const plays = readExchanges();
const split = data.randomSplit(plays.training.length, { validation: short ? 100 : 500, test: 0, seed: 0 });
const part = (indices: Int32Array) =>
  Array.from(indices, (i) => (plays.training[i] as (typeof plays.training)[0]).pair);
const pairs = part(short ? split.train.subarray(0, 600) : split.train);
const test = short ? plays.test.slice(0, 60) : plays.test;
console.log(`${pairs.length} exchanges to learn from, ${test.length} of four other plays for the test`);

// 2. Training: encoder, decoder and attention, as for translation.
const display = await progressDisplay();
const trained = await tasks.trainTranslator({
  pairs,
  validation: part(split.validation),
  sourceTokens: 'subwords',
  targetTokens: 'subwords',
  vocabulary: short ? 500 : 4000,
  embeddingSize: short ? 32 : 128,
  hiddenSize: short ? 32 : 128,
  dropout: 0.4,
  epochs: short ? 1 : 10,
  batchSize: 64,
  learningRate: 0.003,
  seed,
  checkpoint: `${output}checkpoint.safetensors`,
  resume,
  onProgress: display.onProgress,
  onEpoch: display.onEpoch,
});
display.stop();
const { model, result } = trained;
console.log(
  `Trained for ${result.steps} steps in ${result.seconds.toFixed(0)} s; epoch ${result.bestEpoch} was the best.\n`,
);

// 3. What the held-out answers are worth to the model behind what was said, and behind something else.
const other = (i: number) => test[(i + 7) % test.length] as (typeof test)[0];
async function perplexity(of: readonly tasks.TextPair[]): Promise<string> {
  const scores = await tasks.scoreTranslations(model, of);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const nats = -sum(scores.map(({ logProbability }) => logProbability)) / sum(scores.map(({ tokens }) => tokens));
  return Math.exp(nats).toFixed(1);
}
console.log(`perplexity of a token: ${await perplexity(test.map(({ pair }) => pair))}`);
console.log(
  `behind another line of the same plays: ${await perplexity(test.map(({ pair }, i) => [other(i).pair[0], pair[1]]))}\n`,
);

// 4. The answer among ten: the right one first, and nine others of the same play.
const candidates = test.map(({ play, pair: [, answer] }, i) => {
  const others = new Set(test.filter((one) => one.play === play).map((one) => one.pair[1]));
  others.delete(answer);
  const chosen = data.randomSplit(others.size, { validation: 9, test: 0, seed: i }).validation;
  return [answer, ...Array.from(chosen, (other) => [...others][other] as string)];
});
const said = test.map(({ pair }) => pair[0]);
/** Scores [exchanges, 10] of every candidate behind the lines that `lineOf` gives. */
async function scored(lineOf: (i: number) => string): Promise<tasks.TranslationScore[][]> {
  const all = candidates.flatMap((list, i) => list.map((answer) => [lineOf(i), answer] as const));
  const scores = await tasks.scoreTranslations(model, all);
  return candidates.map((_, i) => scores.slice(10 * i, 10 * i + 10));
}
const behind = await scored((i) => said[i] as string);
// How likely an answer is by itself: the mean behind four lines of the training.
const lines = [0, 1, 2, 3].map((i) => pairs[Math.floor((i * pairs.length) / 4)]?.[0] as string);
const alone = await Promise.all(lines.map((line) => scored(() => line)));
const own = (i: number, j: number) =>
  alone.reduce((sum, scores) => sum + (scores[i]?.[j]?.logProbability as number), 0) / alone.length;

const weights = new TfIdf(pairs.flat());
const vectors = new Map([...new Set([...said, ...candidates.flat()])].map((text) => [text, weights.vector(text)]));
const vectorOf = (text: string) => vectors.get(text) as Map<string, number>;
const learnt = pairs.map(([line, answer]) => ({ line: weights.vector(line), answer: weights.vector(answer) }));
const nearest = said.map((line) => {
  const asked = vectorOf(line);
  return learnt.reduce((best, one) => (similarity(one.line, asked) > similarity(best.line, asked) ? one : best));
});

const methods: [string, (i: number, j: number) => number][] = [
  ['GRU: log p of a token', (i, j) => perToken(behind[i]?.[j] as tasks.TranslationScore)],
  ['GRU: how much more likely than by itself', (i, j) => (behind[i]?.[j]?.logProbability as number) - own(i, j)],
  ['GRU that does not hear what was said', (i, j) => own(i, j) / (behind[i]?.[j]?.tokens as number)],
  ['words shared with what was said (TF-IDF)', (i, j) => shared(vectorOf(said[i] as string), i, j)],
  [
    "words shared with the nearest line's answer (TF-IDF)",
    (i, j) => shared(nearest[i]?.answer as Map<string, number>, i, j),
  ],
];
function perToken({ logProbability, tokens }: tasks.TranslationScore): number {
  return logProbability / tokens;
}
function shared(vector: ReadonlyMap<string, number>, i: number, j: number): number {
  return similarity(vector, vectorOf(candidates[i]?.[j] as string));
}
console.log(`${'the answer among ten'.padEnd(56)}first      mean reciprocal rank`);
for (const [name, score] of methods) {
  let [first, reciprocal] = [0, 0];
  for (const [i, list] of candidates.entries()) {
    const scores = list.map((_, j) => score(i, j));
    // Of equal scores each place is as likely as another: the mean of them.
    const above = scores.filter((value) => value > (scores[0] as number)).length;
    const equal = scores.filter((value) => value === scores[0]).length;
    if (above === 0) first += 1 / equal;
    for (let place = above + 1; place <= above + equal; place++) reciprocal += 1 / place / equal;
  }
  const percent = (100 * first) / test.length;
  console.log(`${name.padEnd(56)}${percent.toFixed(1)} %     ${(reciprocal / test.length).toFixed(3)}`);
}

// 5. What it answers itself.
const asked = ['how now, my lord?', 'who is there?', 'what news?', 'i love thee.', ...said.slice(0, 4)];
const answers = await tasks.translate(model, asked, { width: 4, lengthPenalty: 1 });
for (const [i, line] of asked.entries()) console.log(`\n- ${line}\n- ${answers[i]?.[0]?.text}`);
await saveModel(`${output}model.safetensors`, model);
console.log(`\nmodel: ${output}model.safetensors`);
model.dispose();
