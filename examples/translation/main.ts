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

// Each English text once, of 3 to 15 words on both sides, without the marks of keyboard shortcuts.
const pairs = new Map<string, string>();
const plain = (message: string) => message.replace(/[_~&]/g, '').replace(/\s+/g, ' ').trim();
const fits = (message: string) => {
  const words = message.split(' ').length;
  return words >= 3 && words <= 15 && /^[^%$<>{}\\]+$/.test(message);
};
for (const name of readdirSync(catalogues).sort()) {
  const { translations } = mo.parse(readFileSync(`${catalogues}/${name}`));
  for (const { msgid, msgstr } of Object.values(translations).flatMap((context) => Object.values(context))) {
    const [english, french] = [plain(msgid), plain(msgstr[0] ?? '')];
    if (fits(english) && fits(french) && english !== french) pairs.set(english, french);
  }
}
const all: tasks.TextPair[] = [...pairs];
const split = data.randomSplit(all.length, { validation: short ? 50 : 300, test: short ? 50 : 500, seed });
const part = (indices: Int32Array) => [...indices].map((i) => all[i] as tasks.TextPair);
const training = part(short ? split.train.subarray(0, 500) : split.train);

const checkpoint = `${output}checkpoint${short ? '-short' : ''}.safetensors`;
const display = await progressDisplay();
const trained = await tasks.trainTranslator({
  pairs: training,
  validation: part(split.validation),
  sourceTokens: 'subwords',
  targetTokens: 'subwords',
  vocabulary: short ? 300 : 2500,
  embeddingSize: short ? 32 : 96,
  hiddenSize: short ? 32 : 160,
  dropout: short ? 0 : 0.3,
  epochs: short ? 1 : 12,
  batchSize: 64,
  learningRate: 0.003,
  seed,
  checkpoint,
  checkpointEvery: 100,
  resume: existsSync(checkpoint),
  onProgress: display.onProgress,
  onEpoch: display.onEpoch,
});
display.stop();
const { model, result } = trained;
rmSync(checkpoint, { force: true });
console.log(`${training.length} pairs to learn from, trained ${result.seconds.toFixed(0)} s\n`);

// A translation memory: the answer to the training text that shares most words with the one asked for.
const wordsOf = (message: string) => new Set(message.toLowerCase().split(/[^\p{L}\p{N}]+/u));
const memory = training.map(([english, french]) => ({ words: wordsOf(english), french }));
function remembered(message: string): string {
  const asked = wordsOf(message);
  const shared = ({ words }: { words: Set<string> }) =>
    (2 * [...asked].filter((word) => words.has(word)).length) / (asked.size + words.size);
  return memory.reduce((best, one) => (shared(one) > shared(best) ? one : best)).french;
}

const scorer = fromPip('sacrebleu', '2.6.0');
const test = part(split.test);
writeFileSync(`${output}reference.txt`, `${test.map(([, french]) => french).join('\n')}\n`);
function bleu(name: string, answers: readonly string[]): void {
  writeFileSync(`${output}${name}.txt`, `${answers.join('\n')}\n`);
  const words = ['-m', 'sacrebleu', `${output}reference.txt`, '-i', `${output}${name}.txt`, '-m', 'bleu', 'chrf', '-b'];
  const env = { ...process.env, PYTHONPATH: scorer };
  const scores = JSON.parse(execFileSync(python, words, { env, encoding: 'utf8' })) as number[];
  console.log(`  ${name.padEnd(20)} BLEU ${scores[0]?.toFixed(1)}   chrF ${scores[1]?.toFixed(1)}`);
}
const sources = test.map(([english]) => english);
bleu('translation-memory', sources.map(remembered));
for (const width of [1, 4, 8]) {
  const found = await tasks.translate(model, sources, { width, nBest: 1, lengthPenalty: 1 });
  bleu(
    `beam-${width}`,
    found.map(([best]) => best?.text ?? ''),
  );
}

await saveModel(`${output}model.safetensors`, model);
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
