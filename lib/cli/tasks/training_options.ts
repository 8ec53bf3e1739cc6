import { resolve } from 'node:path';
import { type Options, UsageError } from '../options.js';
import type { OptionList } from './task.js';

/** What the library takes for an option that is not given; `--help` says so. */
export interface TrainingDefaults {
  readonly epochs: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly dropout: number;
  readonly batchSize: number;
  readonly learningRate: number;
}

/** The options that the training of every task takes. */
export function trainingOptions(defaults: TrainingDefaults): OptionList {
  const { epochs, hiddenSize, layers, dropout, batchSize, learningRate } = defaults;
  return [
    ['--out <file>', 'Where the model goes (.safetensors)'],
    ['--epochs <n>', `Passes over the training data (default: ${epochs})`],
    ['--hidden-size <n>', `Features of the hidden state (default: ${hiddenSize})`],
    ['--layers <n>', `GRU layers (default: ${layers})`],
    ['--dropout <share>', `Dropout in training (default: ${dropout})`],
    ['--batch-size <n>', `Examples per step (default: ${batchSize})`],
    ['--learning-rate <x>', `Highest learning rate (default: ${learningRate})`],
    ['--patience <epochs>', 'Stop after so many epochs without a lower validation loss (default: never)'],
    ['--seed <n>', 'Seed of all random numbers (default: 0)'],
    ['--threads <n>', 'Threads to compute with (default: the CPUs granted)'],
    ['--device <name>', 'cpu, cuda, cuda:1 or auto (default: cpu)'],
    ['--checkpoint <file>', 'Where an interrupted training is kept (default: beside --out)'],
    ['--resume', 'Go on from the checkpoint; give the other options as before'],
    ['--report <file>', 'Also write a report (.html)'],
  ];
}

/** The files of a training, and how it is run. */
export interface TrainingRequest {
  readonly data: string;
  readonly out: string;
  readonly checkpoint: string;
  readonly report: string | undefined;
  readonly threads: number | undefined;
  readonly resume: boolean;
  /** What was given of the options that the library knows by these names; the rest keeps its defaults. */
  readonly given: Readonly<Record<string, unknown>>;
}

/**
 * @param own the task's own options by the library's names, undefined where not given
 * @throws UsageError
 */
export function readTrainingRequest(options: Options, own: Readonly<Record<string, unknown>>): TrainingRequest {
  const data = options.requiredText('data');
  const out = options.requiredText('out');
  const report = options.text('report');
  const checkpoint = options.text('checkpoint') ?? `${out.replace(/\.safetensors$/, '')}.checkpoint.safetensors`;
  checkDistinct({ data, out, checkpoint, report });
  const size = { min: 1 };
  const all = {
    ...own,
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
  return {
    data,
    out,
    checkpoint,
    report,
    threads: options.integer('threads', { min: 1, max: 1024 }),
    resume: options.flag('resume'),
    given: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
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
