import { checkOneOf, given } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import type { GenerateTextOptions } from '../../tasks/language/generate_text.js';
import type { LanguageModel } from '../../tasks/language/language_model.js';
import type { TrainLanguageModelOptions } from '../../tasks/language/train_language_model.js';
import { exitCodes } from '../command.js';
import { type Options, UsageError } from '../options.js';
import { columns, printJson, printText } from '../output.js';
import type { LoadedModel, OptionList, Task } from './task.js';
import { readLines, readTextFile } from './text_file.js';
import { readTrainingRequest, trainingOptions } from './training_options.js';
import { prepareTraining, runTraining } from './training_run.js';

/** How text is written on. */
export const writingOptions: OptionList = [
  ['--length <n>', 'Tokens to write (default: 200)'],
  [
    '--temperature <x>',
    '0: always the most probable token; above 0 tokens are drawn, 1 as the model has them (default: 0.8)',
  ],
  ['--top-k <n>', 'Draw from so many most probable tokens (default: all)'],
  ['--top-p <share>', 'Draw from the most probable tokens with this probability together (default: 1)'],
  ['--repetition-penalty <x>', 'Above 1 tokens that came are avoided (default: 1)'],
  ['--seed <n>', 'What is drawn follows from it (default: 0)'],
];

/** @throws UsageError */
export function readWritingOptions(options: Options): GenerateTextOptions {
  return given({
    length: options.integer('length', { min: 1 }),
    temperature: options.number('temperature', { min: 0 }) ?? 0.8,
    topK: options.integer('top-k', { min: 1 }),
    topP: options.number('top-p', { above: 0, max: 1 }),
    repetitionPenalty: options.number('repetition-penalty', { above: 0 }),
    seed: options.integer('seed', { min: 0 }),
  });
}

/** @throws CudnnGruError `ERR_FORMAT` for another model */
export async function asLanguageModel({ path, model }: LoadedModel): Promise<LanguageModel> {
  const { LanguageModel } = await import('../../tasks/language/language_model.js');
  if (model instanceof LanguageModel) return model;
  throw new CudnnGruError('ERR_FORMAT', `${path} holds a ${model.architecture().type}, not a LanguageModel`);
}

// Shown in a report.
const reportedCharacters = 1500;

const bits = (value: number) => value.toFixed(3);

export const generate: Task = {
  name: 'generate',
  description: 'text that goes on, a text file',
  train: {
    options: [
      ['--data <file>', 'Text file in UTF-8'],
      ['--embedding-size <n>', 'Features of a token (default: 128)'],
      ['--tokens <kind>', 'characters, words or subwords (default: characters)'],
      ['--vocabulary <n>', 'Words or subwords to know, the most frequent ones (default: 10000)'],
      ['--min-count <n>', 'Words that come less often are read as unknown (default: 1)'],
      ['--test <share>', 'Last part of the text, never seen in training (default: 0.05)'],
      ['--validation <share>', 'Part before it, which chooses the best epoch (default: 0.05)'],
      ['--steps <n>', 'Tokens through which gradients flow back (default: 64)'],
      ['--tied', 'The output layer has the embedding for its weights'],
      // A batch reads so many places of the text side by side.
      ...trainingOptions({ epochs: 10, hiddenSize: 256, layers: 1, dropout: 0, batchSize: 32, learningRate: 0.003 }),
    ],
    examples: ['train generate --data book.txt --out model.safetensors'],

    async run(options) {
      const kind = options.text('tokens');
      const request = readTrainingRequest(options, {
        tokenizer: kind === undefined ? undefined : tokensOf(kind),
        vocabulary: options.integer('vocabulary', { min: 1 }),
        minCount: options.integer('min-count', { min: 1 }),
        test: options.number('test', { min: 0, below: 1 }),
        validation: options.number('validation', { min: 0, below: 1 }),
        embeddingSize: options.integer('embedding-size', { min: 1 }),
        steps: options.integer('steps', { min: 1 }),
        tied: options.flag('tied'),
      });
      await prepareTraining(request, options);
      const text = await readTextFile(request.data);
      const { trainLanguageModel, writeLanguageReport } = await import('../../tasks/index.js');
      const { batchSize: streams, ...settings } = request.given as Partial<TrainLanguageModelOptions> & {
        batchSize?: number;
      };
      return runTraining(
        request,
        options,
        (frame) => trainLanguageModel({ ...settings, ...given({ streams }), ...frame, text }),
        {
          // The end of the text, of which the test is the last part.
          report: (path, trained) => writeLanguageReport(path, trained, text.slice(-reportedCharacters)),
          text: async ({ evaluation }) =>
            evaluation ? `test: ${bits(evaluation.bitsPerCharacter)} bits per character` : undefined,
          json: ({ evaluation }) => evaluation,
        },
      );
    },
  },
  evaluate: {
    options: [],
    examples: ['evaluate model.safetensors --data other.txt'],
    async run(loaded, options) {
      const model = await asLanguageModel(loaded);
      const text = await readTextFile(options.requiredText('data'));
      const { evaluateLanguageModel } = await import('../../tasks/index.js');
      const found = await evaluateLanguageModel(model, text);
      if (options.flag('json')) printJson({ model: loaded.path, ...found });
      else {
        printText(
          columns([
            ['bits per character', bits(found.bitsPerCharacter)],
            ['bits per token', bits(found.bitsPerToken)],
            ['perplexity', bits(found.perplexity)],
            ['unknown tokens', `${(100 * found.unknown).toFixed(2)}%`],
          ]),
        );
      }
      return exitCodes.success;
    },
  },
  predict: {
    options: writingOptions,
    examples: ['predict model.safetensors --data prompts.txt --length 100'],
    async run(loaded, options) {
      const model = await asLanguageModel(loaded);
      const writing = readWritingOptions(options);
      const prompts = await readLines(options.requiredText('data'));
      const { generateText } = await import('../../tasks/index.js');
      const found: { prompt: string; text: string }[] = [];
      for (const prompt of prompts) {
        let text = '';
        for await (const piece of generateText(model, prompt, writing)) text += piece;
        if (!options.flag('json')) printText(`${prompt}${text}`);
        found.push({ prompt, text });
      }
      if (options.flag('json')) printJson({ model: loaded.path, found });
      return exitCodes.success;
    },
  },
};

function tokensOf(kind: string): 'characters' | 'words' | 'subwords' {
  try {
    return checkOneOf(kind, '--tokens', ['characters', 'words', 'subwords']);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
