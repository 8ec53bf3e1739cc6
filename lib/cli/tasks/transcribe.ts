import { given } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import type {
  SpokenClip,
  TranscribeOptions,
  Transcriber,
  TranscriberEvaluation,
  Transcript,
} from '../../tasks/transcription/index.js';
import { exitCodes } from '../command.js';
import { type Options, UsageError } from '../options.js';
import { columns, printJson, printText } from '../output.js';
import { readClipFiles, readClips } from './clip_files.js';
import type { LoadedModel, OptionList, Task } from './task.js';
import { readLines } from './text_file.js';
import { readTrainingRequest, trainingOptions } from './training_options.js';
import { prepareTraining, runTraining } from './training_run.js';

/** How what is said is searched. */
export const transcriptSearchOptions: OptionList = [
  ['--width <n>', 'Prefixes that the search follows; 1: no search (default: 1, with --texts 16)'],
  ['--texts <file>', 'Texts such as will be said, a sentence in each line: the search prefers what is like them'],
  ['--order <n>', 'Characters that the texts are looked at together (default: 6)'],
  ['--language-weight <x>', 'Weight of the texts (default: 0.5)'],
  ['--label-bonus <x>', 'What each character adds to the score, against short answers (default: 0)'],
];

const speakerOption: readonly [string, string] = [
  '--speaker <column>',
  'Column that says who speaks; sounds of one speaker are normalised together',
];

/** @throws UsageError; CudnnGruError for texts that cannot be read */
async function readSearch(model: Transcriber, options: Options): Promise<TranscribeOptions> {
  const texts = options.text('texts');
  for (const name of ['order', 'language-weight'])
    if (texts === undefined && options.has(name)) throw new UsageError(`--${name} is for --texts, which is missing`);
  const found = given({
    width: options.integer('width', { min: 1 }),
    languageModelWeight: options.number('language-weight', { min: 0 }),
    labelBonus: options.number('label-bonus', {}),
  });
  if (texts === undefined) return found;
  const order = options.integer('order', { min: 1, max: 20 });
  const { transcriptLanguageModel } = await import('../../tasks/index.js');
  const languageModel = transcriptLanguageModel(model, await readLines(texts), order === undefined ? {} : { order });
  return { ...found, languageModel };
}

async function asTranscriber({ path, model }: LoadedModel): Promise<Transcriber> {
  const { Transcriber } = await import('../../tasks/index.js');
  if (model instanceof Transcriber) return model;
  throw new CudnnGruError('ERR_FORMAT', `${path} holds a ${model.architecture().type}, not a Transcriber`);
}

/** Prints what is said in each sound, a line each. */
export async function printTranscripts(
  loaded: LoadedModel,
  clips: readonly (SpokenClip & { readonly file: string })[],
  options: Options,
): Promise<void> {
  const model = await asTranscriber(loaded);
  const { transcribe } = await import('../../tasks/index.js');
  const found = await transcribe(model, clips, await readSearch(model, options));
  const heard = clips.map(({ file }, i) => ({ file, ...(found[i]?.[0] as Transcript) }));
  if (options.flag('json')) {
    const transcripts = heard.map(({ tokens: _, ...transcript }) => transcript);
    printJson({ model: loaded.path, transcripts });
  } else for (const { file, text } of heard) printText(clips.length > 1 ? `${file}\t${text}` : text);
}

function errorTable({ characters, words }: TranscriberEvaluation): string {
  const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
  return columns([
    ['character error rate', percent(characters.tokenErrorRate)],
    ['word error rate', percent(words.tokenErrorRate)],
    ['clips with an error', percent(words.sequenceErrorRate)],
  ]);
}

export const transcribe: Task = {
  name: 'transcribe',
  description: 'text from sounds of speech, a CSV table of WAV files and what is said in them',
  train: {
    options: [
      ['--data <file>', 'CSV file with the columns file (a WAV file, from the table on) and text'],
      speakerOption,
      ['--validation <share>', 'Share of the clips that chooses the best epoch (default: 0.1)'],
      ['--test <share>', 'Share of the clips never seen in training (default: 0.1)'],
      ['--bands <n>', 'Bands of the mel scale (default: 40)'],
      ['--stacking <n>', 'Frames, 10 ms each, that make one step (default: 3)'],
      ['--speeds <list>', 'Learn from each clip at these speeds, such as 0.9,1,1.1 (default: 1)'],
      ['--no-masking', 'Do not hide stretches of time and frequency in training'],
      ['--no-bidirectional', 'Read forwards only, as live captions need it'],
      ...trainingOptions({ epochs: 40, hiddenSize: 192, layers: 3, dropout: 0, batchSize: 16, learningRate: 0.003 }),
    ],
    examples: ['train transcribe --data clips.csv --speeds 0.9,1,1.1 --dropout 0.3 --out speech.safetensors'],

    async run(options) {
      const bands = options.integer('bands', { min: 1 });
      const request = readTrainingRequest(options, {
        frontEnd: bands === undefined ? undefined : { bands },
        stacking: options.integer('stacking', { min: 1 }),
        speeds: options.list('speeds')?.map(Number),
        // The parser makes masking: false of --no-masking.
        masking: options.isOff('masking') ? false : undefined,
        bidirectional: options.isOff('bidirectional') ? false : undefined,
      });
      const share = (name: string) => options.number(name, { min: 0, below: 1 }) ?? 0.1;
      const [validation, test] = [share('validation'), share('test')];
      const speaker = options.text('speaker');
      await prepareTraining(request, options);
      const clips = await readClips(request.data, speaker);
      const { randomSplit } = await import('../../data/index.js');
      const split = randomSplit(clips.length, { validation, test });
      const part = (indices: Int32Array) => Array.from(indices, (index) => clips[index] as (typeof clips)[number]);
      const parts = {
        clips: part(split.train),
        ...(validation > 0 && { validation: part(split.validation) }),
        ...(test > 0 && { test: part(split.test) }),
      };
      const { trainTranscriber, writeTranscriberReport } = await import('../../tasks/index.js');
      return runTraining(request, options, (frame) => trainTranscriber({ ...request.given, ...frame, ...parts }), {
        report: (path, trained) => writeTranscriberReport(path, trained, parts.test),
        text: async ({ evaluation }) => (evaluation ? errorTable(evaluation) : undefined),
        json: ({ evaluation }) => evaluation && { characters: evaluation.characters, words: evaluation.words },
      });
    },
  },
  evaluate: {
    options: [speakerOption, ...transcriptSearchOptions],
    examples: ['evaluate speech.safetensors --data held-out.csv --texts sentences.txt --width 32'],
    async run(loaded, options) {
      const model = await asTranscriber(loaded);
      const clips = await readClips(options.requiredText('data'), options.text('speaker'));
      const { evaluateTranscriber } = await import('../../tasks/index.js');
      const evaluation = await evaluateTranscriber(model, clips, await readSearch(model, options));
      const { characters, words } = evaluation;
      if (options.flag('json')) printJson({ model: loaded.path, clips: clips.length, characters, words });
      else printText(errorTable(evaluation));
      return exitCodes.success;
    },
  },
  predict: {
    options: [speakerOption, ...transcriptSearchOptions],
    examples: ['predict speech.safetensors --data clips.csv'],
    async run(loaded, options) {
      const clips = await readClipFiles(options.requiredText('data'), options.text('speaker'));
      await printTranscripts(loaded, clips, options);
      return exitCodes.success;
    },
  },
};
