import type { CsvOptions, Table } from '../../data/csv.js';
import { CudnnGruError } from '../../errors.js';
import type { Forecaster } from '../../tasks/forecasting/forecaster.js';
import type { Options } from '../options.js';
import type { LoadedModel } from './task.js';

/** How the columns of a forecaster's CSV file are read: what is known ahead stands in further rows, in which the others are empty. */
export function forecastColumnsIn(
  inputs: readonly string[],
  known: readonly string[],
  text: readonly string[],
): CsvOptions {
  return { numeric: [...inputs, ...known], text, ...(known.length > 0 && { gaps: inputs }) };
}

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
  const { inputs, known, time, entity } = preprocessingOf(model);
  const text = [time, entity].filter((name) => name !== null);
  return { model, table: await readCsv(data, forecastColumnsIn(inputs, known, text)) };
}
