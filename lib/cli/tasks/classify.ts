import { CudnnGruError } from '../../errors.js';
import type { Classifier } from '../../tasks/classification/index.js';
import { type Options, UsageError } from '../options.js';
import { evaluateEvents, eventOptions, predictEvents, trainOnEvents } from './classify_events.js';
import { evaluateTexts, predictTexts, textOptions, trainOnTexts } from './classify_text.js';
import type { LoadedModel, Task } from './task.js';
import { trainingOptions } from './training_options.js';

/** Classes of event logs (what an entity is, or what is to come of it) and of texts. */
export const classify: Task = {
  name: 'classify',
  description:
    'classes of event logs (what an entity is, or what is to come of it: churn, failures, fraud) and of texts',
  train: {
    options: [
      ['--data <file>', 'CSV file, one row per event, in any order; or CSV or JSON Lines, one row per text'],
      [
        '--label <column>',
        "Column of the text's or entity's class; with --horizon the column above 0 in the events to be foretold",
      ],
      ...eventOptions,
      ...textOptions,
      ['--pooling <kind>', 'What of the steps is read: last, mean, max, meanMax or attention (default: last)'],
      ['--test <share>', 'Last share of the time, or of the entities or texts, never seen in training (default: 0.2)'],
      [
        '--validation <share>',
        'Share that chooses the best epoch and the temperature (default: 0.15 of events, 0.1 of texts)',
      ],
      ['--balanced', 'Let rare classes count as much as frequent ones'],
      ['--weight-decay <x>', "AdamW's weight decay (default: 0.01)"],
      ...trainingOptions({ epochs: 20, hiddenSize: 64, layers: 1, dropout: 0, batchSize: 32, learningRate: 0.003 }),
    ],
    examples: [
      'train classify --data visits.csv --entity customer --time date --features kind,amount --horizon 30 --out churn.safetensors',
      'train classify --data reviews.csv --text review --label stars --pooling meanMax --dropout 0.5 --out stars.safetensors',
    ],

    async run(options) {
      const share = { min: 0, below: 1 };
      const common = {
        pooling: options.text('pooling'),
        test: options.number('test', share),
        validation: options.number('validation', share),
        classWeights: options.flag('balanced') ? 'balanced' : undefined,
        weightDecay: options.number('weight-decay', { min: 0 }),
      };
      const isText = options.has('text');
      refuse(options, isText ? eventOptions : textOptions, isText ? 'texts' : 'events');
      return isText ? trainOnTexts(options, common) : trainOnEvents(options, common);
    },
  },

  evaluate: {
    options: [
      ['--after <time>', 'events: Only moments later than this, in the unit of the times (days since 1970 for dates)'],
      ['--text <column>', 'texts: Column of the texts (default: as in training)'],
      ['--label <column>', 'texts: Column of the classes (default: as in training)'],
    ],
    examples: ['evaluate churn.safetensors --data visits.csv'],
    async run(loaded, options) {
      const { model, isText } = await classifierOf(loaded);
      refuse(
        options,
        isText
          ? [['--after', '']]
          : [
              ['--text', ''],
              ['--label', ''],
            ],
        isText ? 'texts' : 'events',
      );
      return (isText ? evaluateTexts : evaluateEvents)(loaded.path, model, options);
    },
  },

  predict: {
    options: [
      ['--out <file>', 'Write the answers to this file (.csv) and not to stdout'],
      ['--text <column>', 'texts: Column of the texts (default: as in training); in a .txt file each line is one'],
    ],
    examples: [
      'predict churn.safetensors --data visits.csv --out churn.csv',
      'predict stars.safetensors --data new.txt',
    ],
    async run(loaded, options) {
      const { model, isText } = await classifierOf(loaded);
      if (!isText) refuse(options, [['--text', '']], 'events');
      return (isText ? predictTexts : predictEvents)(loaded.path, model, options);
    },
  },
};

async function classifierOf({ path, model }: LoadedModel): Promise<{ model: Classifier; isText: boolean }> {
  const { Classifier, eventPreprocessingOf, textPreprocessingOf } = await import('../../tasks/index.js');
  if (!(model instanceof Classifier)) {
    throw new CudnnGruError('ERR_FORMAT', `${path} holds a ${model.architecture().type}, not a Classifier`);
  }
  const isText = (model.preprocessing as { input?: unknown } | null)?.input === 'text';
  if (isText) textPreprocessingOf(model);
  else eventPreprocessingOf(model);
  return { model, isText };
}

/** @throws UsageError for an option of the other kind of data */
function refuse(options: Options, foreign: readonly (readonly [flags: string, ...unknown[]])[], kind: string): void {
  for (const [flags] of foreign) {
    const name = flags.replace(/^--/, '').split(' ', 1)[0] as string;
    if (options.has(name)) throw new UsageError(`--${name} is not for ${kind}`);
  }
}
