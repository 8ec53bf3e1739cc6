import type { Table } from '../../data/csv.js';
import { CudnnGruError } from '../../errors.js';
import type { Classifier, EntityClasses, TrainEventClassifierOptions } from '../../tasks/classification/index.js';
import { exitCodes } from '../command.js';
import type { Options } from '../options.js';
import { columns, printJson, printNote, printText } from '../output.js';
import type { LoadedModel, Task } from './task.js';
import { readTrainingRequest, trainingOptions } from './training_options.js';
import { prepareTraining, runTraining } from './training_run.js';

/** Classes of event logs: what an entity is, or what is to come of it. */
export const classify: Task = {
  name: 'classify',
  description: 'classes of event logs, CSV: what an entity is, or what is to come of it (churn, failures, fraud)',
  train: {
    options: [
      ['--data <file>', 'CSV file, one row per event, in any order'],
      ['--entity <column>', 'Column that says whose event it is'],
      ['--time <column>', 'Column of times: numbers, or dates and times, which are counted in days'],
      ['--features <columns>', 'Columns that describe an event, with commas between them: numbers, or kinds'],
      [
        '--label <column>',
        "Column of the entity's class; with --horizon the column above 0 in the events to be foretold",
      ],
      ['--horizon <time>', 'How far ahead the outcome lies; without --label it is foretold that nothing happens'],
      ['--every <time>', 'Time between the moments that are learned from (default: the horizon)'],
      ['--window <events>', 'Events that one example reads at most (default: 50)'],
      ['--test <share>', 'Last share of the time, or of the entities, never seen in training (default: 0.2)'],
      ['--validation <share>', 'Share that chooses the best epoch and the temperature (default: 0.15)'],
      ['--balanced', 'Let rare classes count as much as frequent ones'],
      ...trainingOptions({ epochs: 20, hiddenSize: 64, layers: 1, dropout: 0, batchSize: 32, learningRate: 0.003 }),
    ],
    examples: [
      'train classify --data visits.csv --entity customer --time date --features kind,amount --horizon 30 --out churn.safetensors',
    ],

    async run(options) {
      const [entity, time] = [options.requiredText('entity'), options.requiredText('time')];
      const share = { min: 0, below: 1 };
      const request = readTrainingRequest(options, {
        entity,
        time,
        features: options.list('features') ?? [],
        label: options.text('label'),
        horizon: options.number('horizon', { above: 0 }),
        every: options.number('every', { above: 0 }),
        window: options.integer('window', { min: 1 }),
        test: options.number('test', share),
        validation: options.number('validation', share),
        classWeights: options.flag('balanced') ? 'balanced' : undefined,
      });
      await prepareTraining(request, options);
      const table = await readTable(request.data);
      const { classificationTable, trainEventClassifier, writeClassifierReport } = await import('../../tasks/index.js');
      const given = request.given as unknown as Omit<TrainEventClassifierOptions, 'table'>;
      return runTraining(request, options, (frame) => trainEventClassifier({ ...given, ...frame, table }), {
        report: (path, trained) => writeClassifierReport(path, trained),
        text: async ({ model, evaluation }) => (evaluation ? classificationTable(model, evaluation) : undefined),
        json: ({ evaluation }) => evaluation && { ...evaluation, probabilities: undefined, labels: undefined },
      });
    },
  },

  evaluate: {
    options: [['--after <time>', 'Only moments later than this, in the unit of the times (days since 1970 for dates)']],
    examples: ['evaluate churn.safetensors --data visits.csv'],
    async run(loaded, options) {
      const after = options.number('after', {});
      const { model, table } = await dataFor(loaded, options);
      const { classificationTable, evaluateEventClassifier } = await import('../../tasks/index.js');
      const evaluation = await evaluateEventClassifier(model, table, after === undefined ? {} : { after });
      const { probabilities, labels, ...measured } = evaluation;
      if (options.flag('json'))
        printJson({ model: loaded.path, data: table.source, examples: labels.length, ...measured });
      else printText(classificationTable(model, evaluation));
      return exitCodes.success;
    },
  },

  predict: {
    options: [['--out <file>', 'Write the answers to this file (.csv) and not to stdout']],
    examples: ['predict churn.safetensors --data visits.csv --out churn.csv'],
    async run(loaded, options) {
      const out = options.text('out');
      const { model, table } = await dataFor(loaded, options);
      const { classifyEntities, classifierPreprocessingOf } = await import('../../tasks/index.js');
      const found = answers(await classifyEntities(model, table), classifierPreprocessingOf(model).classes);
      if (out !== undefined) {
        const { writeCsv } = await import('../../data/csv.js');
        await writeCsv(out, found);
        printNote(options, `answers: ${out}`);
      }
      if (options.flag('json')) printJson({ model: loaded.path, data: table.source, ...Object.fromEntries(found) });
      else if (out === undefined) {
        const rows = Array.from({ length: found.get('entity')?.length ?? 0 }, (_, row) =>
          Array.from(found.values(), (values) => cell(values[row])),
        );
        printText(columns([[...found.keys()], ...rows]));
      }
      return exitCodes.success;
    },
  },
};

async function readTable(path: string): Promise<Table> {
  const { readCsv } = await import('../../data/csv.js');
  return readCsv(path);
}

async function dataFor({ path, model }: LoadedModel, options: Options): Promise<{ model: Classifier; table: Table }> {
  const { Classifier, eventPreprocessingOf } = await import('../../tasks/index.js');
  if (!(model instanceof Classifier)) {
    throw new CudnnGruError('ERR_FORMAT', `${path} holds a ${model.architecture().type}, not a Classifier`);
  }
  eventPreprocessingOf(model);
  return { model, table: await readTable(options.requiredText('data')) };
}

// The likeliest class of each entity, and the probability of every class.
function answers(
  { entities, probabilities }: EntityClasses,
  classes: readonly string[],
): Map<string, string[] | number[]> {
  const of = (entity: number) =>
    Array.from(probabilities.subarray(entity * classes.length, (entity + 1) * classes.length));
  const likeliest = entities.map((_, i) => {
    const row = of(i);
    return classes[row.indexOf(Math.max(...row))] as string;
  });
  const columnsOf = classes.map((name, c): [string, number[]] => [
    `p(${name})`,
    entities.map((_, i) => of(i)[c] as number),
  ]);
  return new Map<string, string[] | number[]>([['entity', [...entities]], ['class', likeliest], ...columnsOf]);
}

function cell(value: string | number | undefined): string {
  return typeof value === 'number' ? value.toFixed(4) : String(value);
}
