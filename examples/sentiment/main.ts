// Tells whether a sentence about a product, a film or a restaurant is kind: a bidirectional GRU against logistic regression on a bag of words.
//
//   npm run example -- sentiment             five folds, some minutes
//   npm run example -- sentiment --short     one fold, two epochs, to see that everything works
import { readFileSync } from 'node:fs';
import { compareClassifiers } from '../common/compare_classifiers.js';
import { fromNpm } from '../common/fetch.js';
import { outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';

const { short, seed } = exampleOptions();
const fixtures = `${fromNpm('sentiment', '5.0.2')}/test/fixtures`;
const sentences = ['amazon', 'imdb', 'yelp']
  .flatMap((name) => JSON.parse(readFileSync(`${fixtures}/${name}.json`, 'utf8')) as { text: string; class: number }[])
  // The last entry of each file is empty.
  .filter(({ text }) => text !== '');

await compareClassifiers({
  texts: sentences.map(({ text }) => text),
  labels: sentences.map((sentence) => (sentence.class === 1 ? 'positive' : 'negative')),
  featuresOf: (text) => [...new Set(text.toLowerCase().match(/[\p{L}']+|[!?]/gu))],
  penalty: 0.001,
  settings: {
    embeddingSize: 48,
    embeddingDropout: 0.3,
    hiddenSize: 32,
    dropout: 0.5,
    pooling: 'meanMax',
    weightDecay: 0.1,
    epochs: short ? 2 : 12,
    // 2,400 sentences are too few to set some aside.
    validation: 0,
    batchSize: 32,
    learningRate: 0.004,
  },
  short,
  seed,
  output: outputFolder('sentiment'),
});
