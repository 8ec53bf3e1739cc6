import type { Table } from '../../data/csv.js';
import { CudnnGruError } from '../../errors.js';
import type { Forecaster } from '../../tasks/forecaster.js';
import type { Options } from '../options.js';
import type { LoadedModel } from './task.js';

/** The columns of a CSV file that a forecaster reads. @throws CudnnGruError `ERR_FORMAT` for a model that is none */
export async function forecasterData(
  { path, model }: LoadedModel,
  options: Options,
): Promise<{ model: Forecaster; table: Table }> {
  const data = options.requiredText('data');
  const [{ Forecaster, preprocessingOf }, { readCsv }] = await Promise.all([
    import('../../tasks/index.js'),
    import('../../data/csv.js'),
  ]);
  if (!(model instanceof Forecaster)) {
    throw new CudnnGruError('ERR_FORMAT', `${path} holds a ${model.architecture().type}, not a Forecaster`);
  }
  const { inputs, time } = preprocessingOf(model);
  return { model, table: await readCsv(data, { numeric: inputs, ...(time !== null && { text: [time] }) }) };
}
