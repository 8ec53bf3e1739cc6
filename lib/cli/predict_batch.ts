import { CudnnGruError } from '../errors.js';
import type { FileProgress } from '../inference/batch/predict_file.js';
import type { DeviceName } from '../tensor/device.js';
import { exitCodes } from './command.js';
import { untilInterrupted } from './interrupt.js';
import { type Options, UsageError } from './options.js';
import { printJson, printNote } from './output.js';
import type { OptionList } from './tasks/task.js';

/** Options of `predict --batch`. */
export const batchPredictOptions: OptionList = [
  [
    '--batch',
    'Every row of --data (.npy, .csv, .jsonl, .parquet) through any model, into --out; the same call goes on after an interruption',
  ],
  ['--columns <names>', 'batch: Columns of a .csv or .parquet file to read, in their order (default: all)'],
  ['--output <names>', 'batch: Outputs of the model to write (default: the first; all in .jsonl and .parquet)'],
  ['--batch-size <n>', 'batch: Rows computed together (default: found by a short trial)'],
  ['--memory-limit <MiB>', 'batch: Device memory of a batch in that trial (default: 256)'],
  ['--devices <names>', 'batch: Devices that share the rows, as cpu,cuda:0 (default: cpu)'],
  ['--on-error <what>', 'batch: stop at a row that cannot be computed, or skip it (default: stop)'],
  ['--errors-out <file>', 'batch: List skipped rows here, with their numbers and reasons (.jsonl)'],
  ['--shard <i/n>', 'batch: Only the i-th of n parts of the rows, into a file of its own'],
];

export const batchPredictExamples = ['predict model.safetensors --batch --data rows.npy --out predictions.npy'];

/** Without --batch they would be for nothing. */
export function refuseBatchOptions(options: Options): void {
  for (const [flags] of batchPredictOptions) {
    const name = flags.replace(/^--/, '').split(' ', 1)[0] as string;
    if (options.has(name)) throw new UsageError(`--${name} needs --batch`);
  }
}

/** Runs `predict <model> --batch`. */
export async function predictBatch(path: string, options: Options): Promise<number> {
  const input = options.requiredText('data');
  const output = options.requiredText('out');
  const given = settings(options);
  const threads = options.integer('threads', { min: 1, max: 1024 });
  const [{ loadModel }, { predictFile }, { setThreads }] = await Promise.all([
    import('../formats/models.js'),
    import('../inference/batch/predict_file.js'),
    import('../tensor/device.js'),
    import('../tasks/index.js'),
  ]);
  if (threads !== undefined) setThreads(threads);
  const model = await loadModel(path);
  const display = options.flag('quiet') ? undefined : await progressDisplay();
  let result: Awaited<ReturnType<typeof predictFile>>;
  try {
    result = await untilInterrupted((signal) =>
      predictFile(model, { ...given, input, output, signal, ...(display && { onProgress: display.update }) }),
    );
  } catch (error) {
    if (!(error instanceof CudnnGruError && error.code === 'ERR_ABORTED')) throw error;
    printNote(options, 'interrupted: the same call goes on from here');
    return exitCodes.interrupted;
  } finally {
    display?.stop();
  }
  const { rows, badRows, resumedAt } = result;
  if (resumedAt > 0) printNote(options, `${resumedAt} rows were there from an earlier run`);
  printNote(options, `${rows} rows: ${result.output}${badRows > 0 ? `; ${badRows} skipped` : ''}`);
  if (options.flag('json')) printJson({ model: path, data: input, ...result });
  return exitCodes.success;
}

function settings(options: Options) {
  const columns = options.list('columns');
  const outputs = options.list('output');
  const batchSize = options.integer('batch-size', { min: 1 });
  const memory = options.integer('memory-limit', { min: 1 });
  const devices = options.list('devices') as DeviceName[] | undefined;
  const onError = options.text('on-error');
  if (onError !== undefined && onError !== 'stop' && onError !== 'skip') {
    throw new UsageError(`--on-error: expected stop or skip, got ${JSON.stringify(onError)}`);
  }
  const errorsOut = options.text('errors-out');
  const shard = options.text('shard');
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(shard ?? '') ?? [];
  if (shard !== undefined && count === undefined)
    throw new UsageError(`--shard: expected i/n, as 2/8, got ${JSON.stringify(shard)}`);
  return {
    ...(columns && { columns }),
    ...(outputs && { outputs }),
    ...(batchSize !== undefined && { batchSize }),
    ...(memory !== undefined && { memoryLimit: memory << 20 }),
    ...(devices && { devices }),
    ...(onError !== undefined && { onError: onError as 'stop' | 'skip' }),
    ...(errorsOut !== undefined && { errorsOut }),
    ...(shard !== undefined && { shard: { index: Number(index), count: Number(count) } }),
  };
}

// A live bar on a terminal, now and then a line elsewhere.
async function progressDisplay(): Promise<{ update(progress: FileProgress): void; stop(): void }> {
  const text = ({ rows, rowsPerSecond, fraction, secondsLeft }: FileProgress) =>
    `${(100 * fraction).toFixed(1)}%  ${rows} rows, ${Math.round(rowsPerSecond)} rows/s, ${Math.ceil(secondsLeft)} s left`;
  if (!process.stderr.isTTY) {
    let told = performance.now();
    const update = (progress: FileProgress) => {
      if (performance.now() - told < 10_000 && progress.fraction < 1) return;
      told = performance.now();
      process.stderr.write(`${text(progress)}\n`);
    };
    return { update, stop() {} };
  }
  const { SingleBar } = (await import('cli-progress')).default;
  const bar = new SingleBar({
    stream: process.stderr,
    gracefulExit: false,
    format: '{bar} {text}',
    barsize: 20,
    hideCursor: true,
    clearOnComplete: true,
  });
  bar.start(1, 0, { text: '' });
  return { update: (progress) => bar.update(progress.fraction, { text: text(progress) }), stop: () => bar.stop() };
}
