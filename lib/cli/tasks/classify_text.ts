import type { JsonValue } from '../../layers/module.js';
import type { Classifier, TrainTextClassifierOptions } from '../../tasks/classification/index.js';
import { exitCodes } from '../command.js';
import type { Options } from '../options.js';
import { printAnswers } from './classify_answers.js';
import { classificationEnd, printEvaluation } from './classify_results.js';
import type { OptionList } from './task.js';
import { readLines } from './text_file.js';
import { readTrainingRequest } from './training_options.js';
import { prepareTraining, runTraining } from './training_run.js';

/** What the training on texts takes beside the options of every classifier. */
export const textOptions: OptionList = [
  ['--text <column>', 'texts: Column of the texts'],
  ['--tokens <kind>', 'texts: characters, words, whitespace or subwords (default: words)'],
  ['--vocabulary <n>', 'texts: Words or subwords to know, the most frequent ones (default: 10000)'],
  ['--min-count <n>', 'texts: Words that come less often are read as unknown (default: 1)'],
  ['--max-tokens <n>', 'texts: Tokens of a text that are read, its first ones (default: 256)'],
  ['--keep-case', 'texts: Tell capital letters from small ones'],
  ['--embedding-size <n>', 'texts: Features of a token (default: 64)'],
  ['--embedding-dropout <share>', 'texts: Share of the vocabulary left out of a training step (default: 0)'],
];

/** The columns of `--text` and `--label`; they travel in the model. */
interface TextColumns {
  readonly text: string;
  readonly label: string;
}

/** Trains on a file with a text and a label in each row. */
export async function trainOnTexts(options: Options, common: Readonly<Record<string, unknown>>): Promise<number> {
  const columns: TextColumns = { text: options.requiredText('text'), label: options.requiredText('label') };
  const request = readTrainingRequest(options, {
    ...common,
    tokens: options.text('tokens'),
    vocabulary: options.integer('vocabulary', { min: 1 }),
    minCount: options.integer('min-count', { min: 1 }),
    maxTokens: options.integer('max-tokens', { min: 1 }),
    lowerCase: options.flag('keep-case') ? false : undefined,
    embeddingSize: options.integer('embedding-size', { min: 1 }),
    embeddingDropout: options.number('embedding-dropout', { min: 0, below: 1 }),
  });
  await prepareTraining(request, options);
  const [texts = [], labels = []] = await readColumns(request.data, [columns.text, columns.label]);
  const { trainTextClassifier } = await import('../../tasks/index.js');
  const given = request.given as Partial<TrainTextClassifierOptions>;
  return runTraining(
    request,
    options,
    async (frame) => {
      const trained = await trainTextClassifier({ ...given, ...frame, texts, labels });
      trained.model.preprocessing = {
        ...(trained.model.preprocessing as { [key: string]: JsonValue }),
        columns: { ...columns },
      };
      return trained;
    },
    await classificationEnd(),
  );
}

export async function evaluateTexts(path: string, model: Classifier, options: Options): Promise<number> {
  const { text, label } = columnsFor(model, options);
  const data = options.requiredText('data');
  const [texts = [], labels = []] = await readColumns(data, [text, label]);
  const { evaluateTextClassifier } = await import('../../tasks/index.js');
  await printEvaluation({ path, model }, data, await evaluateTextClassifier(model, texts, labels), options);
  return exitCodes.success;
}

export async function predictTexts(path: string, model: Classifier, options: Options): Promise<number> {
  const data = options.requiredText('data');
  const texts = /\.txt$/i.test(data)
    ? await readLines(data)
    : ((await readColumns(data, [columnsFor(model, options).text]))[0] as string[]);
  const { classifyTexts, classifierPreprocessingOf } = await import('../../tasks/index.js');
  const { probabilities } = await classifyTexts(model, texts);
  const { classes } = classifierPreprocessingOf(model);
  return printAnswers({ model: path, data, kind: 'text', examples: texts, classes, probabilities }, options);
}

function columnsFor(model: Classifier, options: Options): TextColumns {
  const { columns } = model.preprocessing as { columns?: Partial<TextColumns> };
  return {
    text: options.text('text') ?? columns?.text ?? 'text',
    label: options.text('label') ?? columns?.label ?? 'label',
  };
}

// Columns of a CSV file, or fields of a JSON Lines file, as text.
async function readColumns(path: string, names: readonly string[]): Promise<string[][]> {
  const { readCsv } = await import('../../data/csv.js');
  const { readJsonLines } = await import('../../data/json_lines.js');
  const { columns } = /\.(jsonl|ndjson)$/i.test(path)
    ? await readJsonLines(path, names)
    : await readCsv(path, { text: names });
  return names.map((name) => columns.get(name) as string[]);
}
