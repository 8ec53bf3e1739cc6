// Translates English to French: the texts of LibreOffice's menus and messages, scored by sacrebleu.
//
//   npm run example -- translation             several minutes; a run that was stopped goes on where it was
//   npm run example -- translation --short     a few hundred pairs, to see that everything works
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { data, progressDisplay, saveModel, tasks } from 'cudnn-gru';
import { mo } from 'gettext-parser';
import { fromDebian, fromPip, python } from '../common/fetch.js';
import { outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';

const { short, seed } = exampleOptions();
const output = outputFolder('translation');
const catalogues = `${fromDebian('libreoffice-l10n-fr')}/usr/lib/libreoffice/program/resource/fr/LC_MESSAGES`;

// Each English text once, without the marks of keyboard shortcuts. Those of 3 to 15 words on both sides are asked for; the others, words alone,
// long ones and ones with placeholders, only help to learn.
const pairs = new Map<string, string>();
const others = new Map<string, string>();
const plain = (message: string) => message.replace(/[_~&]/g, '').replace(/\s+/g, ' ').trim();
const fits = (message: string, least: number, most: number, signs: RegExp) => {
  const words = message.split(' ').length;
  return words >= least && words <= most && signs.test(message);
};
for (const name of readdirSync(catalogues).sort()) {
  const { translations } = mo.parse(readFileSync(`${catalogues}/${name}`));
  for (const { msgid, msgstr } of Object.values(translations).flatMap((context) => Object.values(context))) {
    const pair = [plain(msgid), plain(msgstr[0] ?? '')] as const;
    if (pair[0] === pair[1]) continue;
    if (pair.every((message) => fits(message, 3, 15, /^[^%$<>{}\\]+$/))) pairs.set(...pair);
    else if (pair.every((message) => fits(message, 1, 30, /^[^<>{}\\]*\p{L}[^<>{}\\]*$/u))) others.set(...pair);
  }
}
const all: tasks.TextPair[] = [...pairs];
const split = data.randomSplit(all.length, { validation: short ? 50 : 300, test: short ? 50 : 500, seed });
const part = (indices: Int32Array) => [...indices].map((i) => all[i] as tasks.TextPair);
const training = short
  ? part(split.train.subarray(0, 500))
  : [...part(split.train), ...[...others].filter(([english]) => !pairs.has(english))];

const checkpoint = `${output}checkpoint${short ? '-short' : ''}.safetensors`;
const display = await progressDisplay();
const trained = await tasks.trainTranslator({
  pairs: training,
  validation: part(split.validation),
  sourceTokens: 'subwords',
  targetTokens: 'subwords',
  vocabulary: short ? 300 : 2500,
  embeddingSize: short ? 32 : 128,
  hiddenSize: short ? 32 : 160,
  tied: true,
  dropout: short ? 0 : 0.25,
  epochs: short ? 1 : 25,
  batchSize: 16,
  learningRate: 0.002,
  seed,
  checkpoint,
  checkpointEvery: 400,
  resume: existsSync(checkpoint),
  onProgress: display.onProgress,
  onEpoch: display.onEpoch,
});
display.stop();
const { model, result } = trained;
await saveModel(`${output}model.safetensors`, model);
rmSync(checkpoint, { force: true });
console.log(`${training.length} pairs to learn from, trained ${result.seconds.toFixed(0)} s\n`);

// A translation memory: the answer to the training text that shares most words with the one asked for, and how many it shares.
const wordsOf = (message: string) => new Set(message.toLowerCase().match(/[\p{L}\p{N}]+/gu));
const memory = training.map(([english, french]) => ({ words: wordsOf(english), french }));
function remembered(message: string): { french: string; shared: number } {
  const asked = wordsOf(message);
  const found = memory.map(({ words, french }) => {
    const common = [...asked].filter((word) => words.has(word)).length;
    return { french, shared: (2 * common) / (asked.size + words.size) };
  });
  return found.reduce((best, one) => (one.shared > best.shared ? one : best));
}

const scorer = fromPip('sacrebleu', '2.6.0');
const env = { ...process.env, PYTHONPATH: scorer };
const test = part(split.test);
/** Scores answers to the test texts, or to those of some places. */
function score(name: string, answers: readonly string[], places: readonly number[] = [...test.keys()], ending = '') {
  const file = `${output}${name.replaceAll(' ', '-')}${ending}`;
  writeFileSync(`${file}.reference.txt`, `${places.map((place) => test[place]?.[1]).join('\n')}\n`);
  writeFileSync(`${file}.txt`, `${places.map((place) => answers[place]).join('\n')}\n`);
  const words = ['-m', 'sacrebleu', `${file}.reference.txt`, '-i', `${file}.txt`, '-m', 'bleu', 'chrf', '-b'];
  const scores = JSON.parse(execFileSync(python, words, { env, encoding: 'utf8' })) as number[];
  console.log(`  ${name.padEnd(20)} BLEU ${scores[0]?.toFixed(1).padStart(4)}   chrF ${scores[1]?.toFixed(1)}`);
}
const sources = test.map(([english]) => english);
const nearest = sources.map(remembered);
const memorised = nearest.map(({ french }) => french);
score('translation memory', memorised);
let translated: string[] = [];
for (const width of [1, 4, 8]) {
  const found = await tasks.translate(model, sources, { width, nBest: 1, lengthPenalty: 1 });
  translated = found.map(([best]) => best?.text ?? '');
  score(`beam ${width}`, translated);
}
// By how much of a text the memory knows: Dice's coefficient of its words and those of the nearest training text.
const bounds = short ? [] : [0, 0.5, 0.7, 1];
for (const [i, to] of bounds.slice(1).entries()) {
  const from = bounds[i] as number;
  const places = [...test.keys()].filter((place) => {
    const { shared } = nearest[place] as { shared: number };
    return shared >= from && (shared < to || to === 1);
  });
  console.log(`\n${places.length} texts that share ${from} to ${to} of their words with a training text`);
  score('translation memory', memorised, places, `-shared-${from}-to-${to}`);
  score('beam 8', translated, places, `-shared-${from}-to-${to}`);
}

await tasks.writeTranslatorReport(`${output}report.html`, trained, test, { title: 'English to French' });
const shown = test.slice(0, 6);
const said = await tasks.translate(
  model,
  shown.map(([english]) => english),
  { nBest: 1, lengthPenalty: 1 },
);
for (const [i, [english, french]] of shown.entries())
  console.log(`\n${english}\n  ${said[i]?.[0]?.text}\n  (${french})`);
console.log(`\nmodel:  ${output}model.safetensors\nreport: ${output}report.html`);
model.dispose();
