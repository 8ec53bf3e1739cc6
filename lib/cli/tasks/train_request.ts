import { resolve } from 'node:path';
import { hint, quote } from '../../arguments.js';
import type { Cycle } from '../../tasks/calendar.js';
import type { TrainForecasterOptions } from '../../tasks/train_forecaster.js';
import { type Options, UsageError } from '../options.js';

export const trainOptions = [
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
  ['--epochs <n>', 'Passes over the training rows (default: 20)'],
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
] as const;

/** What `train forecast` is asked to do. */
export interface TrainRequest {
  readonly data: string;
  readonly out: string;
  readonly checkpoint: string;
  readonly report: string | undefined;
  readonly threads: number | undefined;
  readonly resume: boolean;
  /** What was given of these; the rest keeps the library's defaults. */
  readonly training: Omit<TrainForecasterOptions, 'table'>;
}

/** @throws UsageError */
export function readTrainRequest(options: Options): TrainRequest {
  const data = options.requiredText('data');
  const target = options.requiredText('target');
  const out = options.requiredText('out');
  const report = options.text('report');
  const checkpoint = options.text('checkpoint') ?? `${out.replace(/\.safetensors$/, '')}.checkpoint.safetensors`;
  checkDistinct({ data, out, checkpoint, report });
  const time = options.text('time');
  const size = { min: 1 };
  const training = {
    target,
    inputs: options.list('inputs'),
    time,
    calendar: readCalendar(options.list('calendar'), time),
    window: options.integer('window', size),
    horizon: options.integer('horizon', size),
    test: rowsOrShare(options, 'test'),
    validation: rowsOrShare(options, 'validation'),
    epochs: options.integer('epochs', size),
    hiddenSize: options.integer('hidden-size', size),
    numLayers: options.integer('layers', { min: 1, max: 1000 }),
    dropout: options.number('dropout', { min: 0, below: 1 }),
    batchSize: options.integer('batch-size', size),
    learningRate: options.number('learning-rate', { above: 0 }),
    patience: options.integer('patience', size),
    seed: options.integer('seed', { min: 0 }),
    device: options.text('device'),
  };
  const given = Object.fromEntries(Object.entries(training).filter(([, value]) => value !== undefined));
  return {
    data,
    out,
    checkpoint,
    report,
    threads: options.integer('threads', { min: 1, max: 1024 }),
    resume: options.flag('resume'),
    training: given as unknown as TrainRequest['training'],
  };
}

// A model must not be deleted as its own checkpoint, nor the data be overwritten.
function checkDistinct(paths: Readonly<Record<string, string | undefined>>): void {
  const seen = new Map<string, string>();
  for (const [option, path] of Object.entries(paths)) {
    if (path === undefined) continue;
    const earlier = seen.get(resolve(path));
    if (earlier !== undefined) throw new UsageError(`--${earlier} and --${option} are the same file`);
    seen.set(resolve(path), option);
  }
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
