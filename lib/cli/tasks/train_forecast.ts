import { hint, quote } from '../../arguments.js';
import type { Backtest } from '../../tasks/forecasting/backtest.js';
import type { Cycle } from '../../tasks/forecasting/calendar.js';
import type { TrainForecasterOptions } from '../../tasks/forecasting/train_forecaster.js';
import { type Options, UsageError } from '../options.js';
import { forecastColumnsIn } from './load_forecaster.js';
import type { TaskTraining } from './task.js';
import { readTrainingRequest, trainingOptions } from './training_options.js';
import { prepareTraining, runTraining, type TrainingFrame } from './training_run.js';

export const trainForecast: TaskTraining = {
  options: [
    ['--data <file>', 'CSV file, one row per step of time, oldest first'],
    ['--target <column>', 'Column to forecast'],
    ['--inputs <columns>', 'Other columns the model reads, with commas between them'],
    ['--known <columns>', 'Columns known ahead, read in the rows to come as well (holidays, prices, a plan)'],
    ['--time <column>', 'Column of dates or times'],
    ['--entity <column>', 'Column that names the series of each row; each has a scale of its own'],
    ['--calendar <cycles>', 'Cycles whose phase the model reads: year,week,day or none (default: year, with --time)'],
    [
      '--seasons <rows>',
      'Rows of a season: 7, or 24,168 for hours; for baselines, MASE, and what the model reads ahead',
    ],
    ['--quantiles <levels>', 'Quantiles to forecast, 0.5 among them: 0.05,0.5,0.95 for a 90 % interval'],
    [
      '--target-mode <mode>',
      "What answers are added to: change (the last value) or level (the mean) (default: 'change')",
    ],
    ['--decoder', 'Also read what is known of the rows to come (default: with --known or --seasons)'],
    ['--window <rows>', 'Rows of history that one forecast reads (default: 60)'],
    ['--horizon <rows>', 'Rows to forecast (default: 7)'],
    ['--test <rows>', 'Last rows, never seen in training: a number, or a share below 1 (default: 0.2)'],
    ['--validation <rows>', 'Rows before those, which choose the best epoch (default: 0.15)'],
    ['--folds <n>', 'Backtest first: train and evaluate at so many ends of the data, --test rows apart'],
    ...trainingOptions({ epochs: 20, hiddenSize: 32, layers: 2, dropout: 0.2, batchSize: 32, learningRate: 0.003 }),
  ],
  examples: [
    'train forecast --data weather.csv --time date --target temp_max --inputs temp_min,wind --out model.safetensors',
    'train forecast --data shops.csv --entity shop --time day --target sales --known holiday --seasons 7 --quantiles 0.05,0.5,0.95 --out sales.safetensors',
  ],

  async run(options) {
    const target = options.requiredText('target');
    const time = options.text('time');
    const entity = options.text('entity');
    const inputs = options.list('inputs');
    const known = options.list('known');
    const folds = options.integer('folds', { min: 1 });
    const request = readTrainingRequest(options, {
      target,
      inputs,
      known,
      time,
      entity,
      calendar: readCalendar(options.list('calendar'), time),
      seasons: numbers(options, 'seasons'),
      quantiles: numbers(options, 'quantiles'),
      targetMode: options.text('target-mode'),
      decoder: options.flag('decoder') || undefined,
      window: options.integer('window', { min: 1 }),
      horizon: options.integer('horizon', { min: 1 }),
      test: rowsOrShare(options, 'test'),
      validation: rowsOrShare(options, 'validation'),
    });
    await prepareTraining(request, options);
    const { readCsv } = await import('../../data/csv.js');
    const text = [time, entity].filter((name) => name !== undefined);
    const table = await readCsv(request.data, forecastColumnsIn([target, ...(inputs ?? [])], known ?? [], text));
    const { backtestForecaster, backtestTable, evaluationTable, trainForecaster, writeForecasterReport } = await import(
      '../../tasks/index.js'
    );
    const given = request.given as unknown as Omit<TrainForecasterOptions, 'table'>;
    let backtest: Backtest | undefined;
    const train = async (frame: TrainingFrame) => {
      const { onProgress, onEpoch, signal } = frame;
      if (folds !== undefined) {
        const shown = { ...(onProgress && { onProgress }), ...(onEpoch && { onEpoch }), ...(signal && { signal }) };
        backtest = await backtestForecaster({ ...given, ...shown, table, folds });
      }
      return trainForecaster({ ...given, ...frame, table });
    };
    return runTraining(request, options, train, {
      report: (path, trained) => writeForecasterReport(path, trained, table),
      text: async ({ evaluation, model }) =>
        [evaluation && evaluationTable(evaluation, model), backtest && backtestTable(backtest)]
          .filter((part) => part)
          .join('\n\n') || undefined,
      json: ({ evaluation }) =>
        evaluation && {
          errors: evaluation.errors,
          baselines: evaluation.baselines,
          ...(backtest && { backtest: backtestJson(backtest) }),
        },
    });
  },
};

function backtestJson({ folds, errors, baselines }: Backtest) {
  return {
    folds: folds.map(({ trainedUntil, rows, evaluation }) => ({
      trainedUntil,
      rows,
      errors: evaluation.errors,
      baselines: evaluation.baselines,
    })),
    errors,
    baselines,
  };
}

function numbers(options: Options, name: string): number[] | undefined {
  return options.list(name)?.map((text) => {
    const value = Number(text);
    if (Number.isNaN(value))
      throw new UsageError(`--${name}: expected numbers with commas between them, got ${quote(text)}`);
    return value;
  });
}

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
