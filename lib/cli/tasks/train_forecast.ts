import { hint, quote } from '../../arguments.js';
import type { Cycle } from '../../tasks/calendar.js';
import type { TrainForecasterOptions } from '../../tasks/train_forecaster.js';
import { type Options, UsageError } from '../options.js';
import type { TaskTraining } from './task.js';
import { readTrainingRequest, trainingOptions } from './training_options.js';
import { prepareTraining, runTraining } from './training_run.js';

export const trainForecast: TaskTraining = {
  options: [
    ['--data <file>', 'CSV file, one row per step of time, oldest first'],
    ['--target <column>', 'Column to forecast'],
    ['--inputs <columns>', 'Other columns the model reads, with commas between them'],
    ['--time <column>', 'Column of dates or times'],
    ['--calendar <cycles>', 'Cycles whose phase the model reads: year,week,day or none (default: year, with --time)'],
    ['--window <rows>', 'Rows of history that one forecast reads (default: 60)'],
    ['--horizon <rows>', 'Rows to forecast (default: 7)'],
    ['--test <rows>', 'Last rows, never seen in training: a number, or a share below 1 (default: 0.2)'],
    ['--validation <rows>', 'Rows before those, which choose the best epoch (default: 0.15)'],
    ...trainingOptions({ epochs: 20, hiddenSize: 32, layers: 2, dropout: 0.2, batchSize: 32, learningRate: 0.003 }),
  ],
  examples: [
    'train forecast --data weather.csv --time date --target temp_max --inputs temp_min,wind --out model.safetensors',
  ],

  async run(options) {
    const target = options.requiredText('target');
    const time = options.text('time');
    const inputs = options.list('inputs');
    const request = readTrainingRequest(options, {
      target,
      inputs,
      time,
      calendar: readCalendar(options.list('calendar'), time),
      window: options.integer('window', { min: 1 }),
      horizon: options.integer('horizon', { min: 1 }),
      test: rowsOrShare(options, 'test'),
      validation: rowsOrShare(options, 'validation'),
    });
    await prepareTraining(request, options);
    const { readCsv } = await import('../../data/csv.js');
    const table = await readCsv(request.data, {
      numeric: [target, ...(inputs ?? [])],
      ...(time !== undefined && { text: [time] }),
    });
    const { evaluationTable, trainForecaster, writeForecasterReport } = await import('../../tasks/index.js');
    const given = request.given as unknown as Omit<TrainForecasterOptions, 'table'>;
    return runTraining(request, options, (frame) => trainForecaster({ ...given, ...frame, table }), {
      report: (path, trained) => writeForecasterReport(path, trained, table),
      text: async ({ evaluation, model }) => (evaluation ? evaluationTable(evaluation, model) : undefined),
      json: ({ evaluation }) => evaluation && { errors: evaluation.errors, baselines: evaluation.baselines },
    });
  },
};

function readCalendar(names: string[] | undefined, time: string | undefined): Cycle[] | undefined {
  if (names === undefined) return undefined;
  if (names.join() === 'none') return [];
  const known = ['year', 'week', 'day'];
  for (const name of names) {
    if (known.includes(name)) continue;
    throw new UsageError(
      `--calendar: unknown cycle ${quote(name)}${hint(name, known)}; known: ${known.join(', ')}, none`,
    );
  }
  if (time === undefined) throw new UsageError('--calendar needs --time');
  return names as Cycle[];
}

function rowsOrShare(options: Options, name: string): number | undefined {
  const value = options.number(name, { min: 0 });
  if (value !== undefined && value >= 1 && !Number.isInteger(value)) {
    throw new UsageError(`--${name}: expected a number of rows or a share below 1, got ${value}`);
  }
  return value;
}
