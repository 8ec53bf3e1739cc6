// Speech recognition: telephone prompts to text, with a stack of bidirectional GRUs and the CTC loss.
import { writeFileSync } from 'node:fs';
import { type decoding, progressDisplay, saveModel, tasks } from 'cudnn-gru';
import { outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';
import { promptTraining, readPromptParts } from './prompts.js';

const { short, seed, resume } = exampleOptions();
const output = outputFolder('speech');

// 1. The data: one speaker, 8 kHz.
const { train, validation, test } = await readPromptParts(short ? 60 : undefined);

// 2. Training.
const display = await progressDisplay();
const trained = await tasks.trainTranscriber({
  clips: train,
  validation,
  test,
  hiddenSize: short ? 48 : 192,
  ...promptTraining(short),
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

// 3. The search: language models of the training's texts, n-grams and a small GRU that learns them a line each.
const texts = train.map(({ text }) => text);
const writing = await tasks.trainLanguageModel({
  text: `${texts.join('\n')}\n`,
  test: 0,
  validation: 0.1,
  embeddingSize: 32,
  hiddenSize: short ? 32 : 192,
  dropout: 0.3,
  epochs: short ? 2 : 40,
  streams: 16,
  steps: 32,
  learningRate: 0.005,
  seed,
});
console.log(`The GRU of the texts: trained in ${writing.result.seconds.toFixed(0)} s.\n`);
const rate = async (list: readonly tasks.Clip[], options: tasks.TranscribeOptions) => {
  const { characters, words } = await tasks.evaluateTranscriber(model, list, options);
  return { characters: characters.tokenErrorRate, words: words.tokenErrorRate };
};
const width = short ? 8 : 32;
// The weight and the bonus of a letter are those that are best on the validation prompts.
async function chosenFor(languageModel: decoding.PrefixModel) {
  let best = { languageModelWeight: 0, labelBonus: 0, characters: Number.POSITIVE_INFINITY };
  for (const languageModelWeight of short ? [0.5] : [0.6, 0.9, 1.2, 1.5]) {
    for (const labelBonus of short ? [0] : [0.7, 1.4, 2.1]) {
      const { characters } = await rate(validation, { languageModel, languageModelWeight, labelBonus, width: 8 });
      if (characters < best.characters) best = { languageModelWeight, labelBonus, characters };
    }
  }
  const { languageModelWeight, labelBonus } = best;
  return { languageModel, languageModelWeight, labelBonus, width };
}
const ngrams = await chosenFor(tasks.transcriptLanguageModel(model, texts, { order: 6 }));
const recurrent = await chosenFor(tasks.transcriptLanguageModel(model, writing.model));

// 4. The held-out prompts.
const percent = (share: number) => `${(100 * share).toFixed(1)} %`.padStart(9);
console.log(`${'held-out prompts'.padEnd(60)}characters    words`);
const weights = ({ languageModelWeight, labelBonus }: typeof ngrams) =>
  `weight ${languageModelWeight}, bonus ${labelBonus}`;
const methods: [string, tasks.TranscribeOptions][] = [
  ['greedy', {}],
  [`prefix beam search of width ${width}`, { width }],
  [`the same with 6-grams, ${weights(ngrams)}`, ngrams],
  [`the same with the GRU of the texts, ${weights(recurrent)}`, recurrent],
];
for (const [name, options] of methods) {
  const { characters, words } = await rate(test, options);
  console.log(`${name.padEnd(60)}${percent(characters)}${percent(words)}`);
}
const heard = await tasks.transcribe(model, test, ngrams);
const lines = test.map(({ text }, i) => `said:  ${text}\nheard: ${heard[i]?.[0]?.text}\n`);
console.log(`\n${lines.slice(0, 5).join('\n')}`);

// 5. What is kept.
await saveModel(`${output}model.safetensors`, model);
writeFileSync(`${output}transcripts.txt`, lines.join('\n'));
await tasks.writeTranscriberReport(`${output}report.html`, trained, test, { title: 'Telephone prompts' });
console.log(`model: ${output}model.safetensors\ntranscripts: ${output}transcripts.txt\nreport: ${output}report.html`);
model.dispose();
