import { given, quote } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import type { EncoderDecoder } from '../../tasks/translation/encoder_decoder.js';
import type { TextPair } from '../../tasks/translation/pair_dataset.js';
import type { TranslateOptions } from '../../tasks/translation/translate.js';
import { exitCodes } from '../command.js';
import { type Options, UsageError } from '../options.js';
import { columns, printJson, printText } from '../output.js';
import type { LoadedModel, OptionList, Task } from './task.js';
import { readLines } from './text_file.js';
import { readTrainingRequest, trainingOptions } from './training_options.js';
import { prepareTraining, runTraining } from './training_run.js';

/** How answers are searched. */
export const searchOptions: OptionList = [
  ['--width <n>', 'Hypotheses that beam search follows; 1: greedy (default: 4)'],
  ['--length-penalty <x>', 'Above 0 long answers rank higher (default: 0)'],
  ['--max-length <n>', 'The most tokens of an answer (default: as the longest target in training)'],
];

/** @throws UsageError */
export function readSearchOptions(options: Options): TranslateOptions {
  return given({
    width: options.integer('width', { min: 1 }),
    lengthPenalty: options.number('length-penalty', { min: 0 }),
    maxLength: options.integer('max-length', { min: 1 }),
  });
}

/** @throws CudnnGruError `ERR_FORMAT` for another model */
export async function asTranslator({ path, model }: LoadedModel): Promise<EncoderDecoder> {
  const { EncoderDecoder } = await import('../../tasks/translation/encoder_decoder.js');
  if (model instanceof EncoderDecoder) return model;
  throw new CudnnGruError('ERR_FORMAT', `${path} holds a ${model.architecture().type}, not an EncoderDecoder`);
}

/** Prints the best answer to each text, a line each. */
export async function printTranslations(
  loaded: LoadedModel,
  texts: readonly string[],
  options: Options,
): Promise<void> {
  const model = await asTranslator(loaded);
  const { translate } = await import('../../tasks/index.js');
  const nBest = options.integer('n-best', { min: 1 }) ?? 1;
  const answers = await translate(model, texts, { ...readSearchOptions(options), nBest });
  if (options.flag('json')) {
    const found = texts.map((source, i) => ({
      source,
      answers: answers[i]?.map(({ text, logProbability, score }) => ({ text, logProbability, score })),
    }));
    printJson({ model: loaded.path, found });
    return;
  }
  for (const found of answers) for (const { text } of found) printText(text);
}

const nBest = ['--n-best <n>', 'Answers to each text, the best first (default: 1)'] as const;

export const translate: Task = {
  name: 'translate',
  description: 'one text from another, lines of source and target with a tab between',
  train: {
    options: [
      ['--data <file>', 'Text file in UTF-8, a source, a tab and a target in each line'],
      ['--embedding-size <n>', 'Features of a token (default: 128)'],
      ['--validation <share>', 'Share of the pairs, spread over the file, that chooses the best epoch (default: 0.05)'],
      ['--source-tokens <kind>', 'characters, words, whitespace or subwords (default: words)'],
      ['--target-tokens <kind>', 'characters, words, whitespace or subwords (default: words)'],
      ['--vocabulary <n>', 'Words or subwords of each side to know (default: 8000)'],
      ['--min-count <n>', 'Words that come less often are read as unknown (default: 1)'],
      ['--attention <score>', 'general, additive or dot (default: general)'],
      ['--input-feeding', 'Decoder steps read what the one before attended to'],
      ['--tied', 'The output layer has the target embedding for its weights'],
      ['--sampling <share>', 'Scheduled sampling, growing to this share (default: 0)'],
      ...trainingOptions({ epochs: 10, hiddenSize: 256, layers: 1, dropout: 0, batchSize: 64, learningRate: 0.002 }),
    ],
    examples: ['train translate --data pairs.tsv --source-tokens characters --out model.safetensors'],

    async run(options) {
      const kinds = ['characters', 'words', 'whitespace', 'subwords'];
      const request = readTrainingRequest(options, {
        sourceTokens: word(options, 'source-tokens', kinds),
        targetTokens: word(options, 'target-tokens', kinds),
        vocabulary: options.integer('vocabulary', { min: 1 }),
        minCount: options.integer('min-count', { min: 1 }),
        embeddingSize: options.integer('embedding-size', { min: 1 }),
        attention: word(options, 'attention', ['general', 'additive', 'dot']),
        inputFeeding: options.flag('input-feeding'),
        tied: options.flag('tied'),
        sampling: options.number('sampling', { min: 0, max: 1 }),
      });
      const share = options.number('validation', { min: 0, below: 1 }) ?? 0.05;
      await prepareTraining(request, options);
      const all = await readPairs(request.data);
      const held = (i: number) => Math.floor((i + 1) * share) > Math.floor(i * share);
      const validation = all.filter((_, i) => held(i));
      const pairs = all.filter((_, i) => !held(i));
      const { trainTranslator, writeTranslatorReport } = await import('../../tasks/index.js');
      return runTraining(
        request,
        options,
        (frame) => trainTranslator({ ...request.given, ...frame, pairs, ...(validation.length > 0 && { validation }) }),
        {
          report: (path, trained) => writeTranslatorReport(path, trained, validation),
          text: async () => undefined,
          json: () => null,
        },
      );
    },
  },
  evaluate: {
    options: searchOptions,
    examples: ['evaluate model.safetensors --data held-out.tsv --width 8'],
    async run(loaded, options) {
      const model = await asTranslator(loaded);
      // Several lines with one source: several right answers.
      const answers = new Map<string, string[]>();
      for (const [source, target] of await readPairs(options.requiredText('data')))
        answers.set(source, [...(answers.get(source) ?? []), target]);
      const { evaluateTranslator } = await import('../../tasks/index.js');
      const search = readSearchOptions(options);
      const { errors } = await evaluateTranslator(model, [...answers.keys()], [...answers.values()], search);
      if (options.flag('json')) printJson({ model: loaded.path, sources: answers.size, ...errors });
      else {
        const percent = (value: number) => `${(100 * value).toFixed(2)}%`;
        printText(
          columns([
            ['wrong answers', percent(errors.sequenceErrorRate)],
            ['wrong tokens', percent(errors.tokenErrorRate)],
          ]),
        );
      }
      return exitCodes.success;
    },
  },
  predict: {
    options: [...searchOptions, nBest],
    examples: ['predict model.safetensors --data sources.txt'],
    async run(loaded, options) {
      await printTranslations(loaded, await readLines(options.requiredText('data')), options);
      return exitCodes.success;
    },
  },
};

async function readPairs(path: string): Promise<TextPair[]> {
  return (await readLines(path)).map((line, i): TextPair => {
    const [source = '', target, ...rest] = line.split('\t').map((text) => text.trim());
    if (source !== '' && target && rest.length === 0) return [source, target];
    throw new CudnnGruError(
      'ERR_DATA',
      `${path}: text ${i + 1} is no source and target with a tab between: ${quote(line)}`,
    );
  });
}

function word(options: Options, name: string, choices: readonly string[]): string | undefined {
  const found = options.text(name);
  if (found === undefined || choices.includes(found)) return found;
  throw new UsageError(`--${name}: expected one of ${choices.join(', ')}, got ${quote(found)}`);
}
