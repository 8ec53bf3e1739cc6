import type { Table } from '../data/csv.js';
import { CudnnGruError } from '../errors.js';
import type { Forecaster } from '../tasks/forecaster.js';
import type { Options } from './options.js';

/** The forecaster in a model file and the columns of a CSV file that it reads. */
export async function loadForecaster(path: string, options: Options): Promise<{ model: Forecaster; table: Table }> {
  const data = options.requiredText('data');
  const threads = options.integer('threads', { min: 1, max: 1024 });
  const [{ loadModel }, { Forecaster, preprocessingOf }, { readCsv }, { setThreads }] = await Promise.all([
    import('../formats/models.js'),
    import('../tasks/index.js'),
    import('../data/csv.js'),
    import('../tensor/device.js'),
  ]);
  if (threads !== undefined) setThreads(threads);
  const model = await loadModel(path);
  if (!(model instanceof Forecaster)) {
    throw new CudnnGruError('ERR_FORMAT', `${path} holds a ${model.architecture().type}, not a Forecaster`);
  }
  const { inputs, time } = preprocessingOf(model);
  return { model, table: await readCsv(data, { numeric: inputs, ...(time !== null && { text: [time] }) }) };
}

export const forecasterOptions = [
  ['--data <file>', 'CSV file with the columns of the training'],
  ['--threads <n>', 'Threads to compute with (default: the CPUs granted)'],
] as const;
