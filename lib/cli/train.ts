import { access, constants, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hint, quote } from '../arguments.js';
import type { Table } from '../data/csv.js';
import { CudnnGruError } from '../errors.js';
import type { Cycle } from '../tasks/calendar.js';
import type { TrainedForecaster, TrainForecasterOptions } from '../tasks/train_forecaster.js';
import { type Command, exitCodes, resultOptions } from './command.js';
import { untilInterrupted } from './interrupt.js';
import { type Options, UsageError } from './options.js';
import { printJson, printNote, printText } from './output.js';

export const train: Command = {
  usage: 'train <task>',
  description: 'Train a model on a CSV file. The task is: forecast',
  options: [
    ['--data <file>', 'CSV file, one row per step of time, oldest first'],
    ['--target <column>', 'Column to forecast'],
    ['--out <file>', 'Where the model goes (.safetensors)'],
    ['--inputs <columns>', 'Other columns the model reads, with commas between them'],
    ['--time <column>', 'Column of dates or times'],
    ['--calendar <cycles>', 'Cycles whose phase the model reads: year,week,day or none (default: year, with --time)'],
    ['--window <rows>', 'Rows of history that one forecast reads (default: 60)'],
    ['--horizon <rows>', 'Rows to forecast (default: 7)'],
    ['--test <rows>', 'Last rows, never seen in training: a number, or a share below 1 (default: 0.2)'],
    ['--validation <rows>', 'Rows before those, which choose the best epoch (default: 0.15)'],
    ['--epochs <n>', 'Passes over the training rows (default: 30)'],
    ['--hidden-size <n>', 'Features of the hidden state (default: 32)'],
    ['--layers <n>', 'GRU layers (default: 2)'],
    ['--dropout <share>', 'Dropout in training (default: 0.2)'],
    ['--batch-size <n>', 'Windows per step (default: 32)'],
    ['--learning-rate <x>', 'Highest learning rate (default: 0.003)'],
    ['--patience <epochs>', 'Stop after so many epochs without a lower validation loss (default: never)'],
    ['--seed <n>', 'Seed of all random numbers (default: 0)'],
    ['--threads <n>', 'Threads to compute with (default: the CPUs granted)'],
    ['--device <name>', 'cpu, cuda, cuda:1 or auto (default: cpu)'],
    ['--checkpoint <file>', 'Where an interrupted training is kept (default: beside --out)'],
    ['--resume', 'Go on from the checkpoint; give the other options as before'],
    ['--report <file>', 'Also write a report (.html)'],
    ...resultOptions,
  ],
  examples: [
    'train forecast --data weather.csv --time date --target temp_max --inputs temp_min,wind --out model.safetensors',
  ],

  async run([task], options) {
    if (task !== 'forecast')
      throw new UsageError(`unknown task ${quote(String(task))}${hint(String(task), ['forecast'])}; known: forecast`);
    const request = readRequest(options);
    await checkWritable(request.out, request.checkpoint, ...(request.report ? [request.report] : []));
    const table = await readTable(
      request.data,
      [request.training.target, ...request.training.inputs],
      request.training.time,
    );
    const trained = await runTraining(request, table, options);
    if (trained.result.stopped === 'aborted') {
      printNote(
        options,
        `interrupted at step ${trained.result.steps}; the checkpoint is ${request.checkpoint}: go on with --resume`,
      );
      return exitCodes.interrupted;
    }
    const { saveModel } = await import('../formats/models.js');
    await saveModel(request.out, trained.model);
    await rm(request.checkpoint, { force: true });
    await printResults(request, trained, options);
    return exitCodes.success;
  },
};

type Request = ReturnType<typeof readRequest>;

function readRequest(options: Options) {
  const out = options.requiredText('out');
  const data = options.requiredText('data');
  const time = options.text('time');
  const calendar = options.list('calendar');
  const size = { min: 1 };
  const share = { min: 0 };
  return {
    data,
    out,
    report: options.text('report'),
    threads: options.integer('threads', { min: 1, max: 1024 }),
    resume: options.flag('resume'),
    checkpoint: options.text('checkpoint') ?? `${out.replace(/\.safetensors$/, '')}.checkpoint.safetensors`,
    training: {
      target: options.requiredText('target'),
      inputs: options.list('inputs') ?? [],
      ...given({
        time,
        calendar: calendar && readCalendar(calendar, time),
        window: options.integer('window', size),
        horizon: options.integer('horizon', size),
        test: rowsOrShare(options, 'test'),
        validation: rowsOrShare(options, 'validation'),
        epochs: options.integer('epochs', size),
        hiddenSize: options.integer('hidden-size', size),
        numLayers: options.integer('layers', { min: 1, max: 1000 }),
        dropout: options.number('dropout', { ...share, below: 1 }),
        batchSize: options.integer('batch-size', size),
        learningRate: options.number('learning-rate', { above: 0 }),
        patience: options.integer('patience', size),
        seed: options.integer('seed', { min: 0 }),
        device: options.text('device') as TrainForecasterOptions['device'],
      }),
    },
  };
}

// Only what was given: a missing option keeps the library's default.
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

function readCalendar(names: string[], time: string | undefined): Cycle[] {
  const known = ['year', 'week', 'day'];
  if (names.join() === 'none') return [];
  for (const name of names) {
    if (!known.includes(name))
      throw new UsageError(
        `--calendar: unknown cycle ${quote(name)}${hint(name, known)}; known: year, week, day, none`,
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

// Better now than after an hour of training.
async function checkWritable(...paths: string[]): Promise<void> {
  for (const path of paths) {
    const folder = dirname(path);
    await access(folder, constants.W_OK).catch((cause) => {
      throw new CudnnGruError('ERR_FILE', `cannot write ${path}: the folder ${folder} is not there or not writable`, {
        cause,
      });
    });
  }
}

async function readTable(path: string, numeric: string[], time: string | undefined): Promise<Table> {
  const { readCsv } = await import('../data/csv.js');
  return readCsv(path, { numeric, ...(time !== undefined && { text: [time] }) });
}

async function runTraining(request: Request, table: Table, options: Options): Promise<TrainedForecaster> {
  const [{ trainForecaster }, { setThreads }, { progressDisplay }] = await Promise.all([
    import('../tasks/index.js'),
    import('../tensor/device.js'),
    import('./progress.js'),
  ]);
  if (request.threads !== undefined) setThreads(request.threads);
  const { checkpoint, resume } = request;
  const display = options.flag('quiet') ? undefined : await progressDisplay();
  try {
    return await untilInterrupted((signal) =>
      trainForecaster({
        ...request.training,
        table,
        checkpoint,
        resume,
        signal,
        ...(display && { onProgress: display.onProgress, onEpoch: display.onEpoch }),
      }),
    );
  } finally {
    display?.stop();
  }
}

async function printResults(request: Request, { model, result, evaluation }: TrainedForecaster, options: Options) {
  const { evaluationTable } = await import('../tasks/evaluation_table.js');
  if (options.flag('json')) {
    const { bestEpoch, steps, seconds, stopped } = result;
    const { errors, baselines } = evaluation ?? {};
    printJson({
      model: request.out,
      report: request.report ?? null,
      stopped,
      bestEpoch,
      steps,
      seconds,
      history: result.history,
      evaluation: evaluation && { errors, baselines },
    });
    return;
  }
  if (evaluation) printText(evaluationTable(evaluation, model));
  printText(`model: ${request.out}`);
  if (request.report) printText(`report: ${request.report}`);
}
