import { CudnnGruError } from '../../errors.js';
import { exitCodes } from '../command.js';
import { columns, printJson, printNote, printText } from '../output.js';
import { forecasterData } from './load_forecaster.js';
import type { TaskCommand } from './task.js';

export const predictForecast: TaskCommand = {
  options: [
    ['--out <file>', 'Write the forecasts to this file (.csv) and not to stdout'],
    ['--last <rows>', 'Forecast as if made after each of so many last rows (default: 1, the last)'],
  ],
  examples: ['predict model.safetensors --data weather.csv --out forecast.csv'],

  async run(loaded, options) {
    const last = options.integer('last', { min: 1 }) ?? 1;
    const out = options.text('out');
    const { model, table } = await forecasterData(loaded, options);
    const { forecastColumns, preprocessingOf, writeForecasts } = await import('../../tasks/index.js');
    const { window, horizon } = preprocessingOf(model);
    const needed = window + last - 1;
    if (table.rows < needed) {
      throw new CudnnGruError(
        'ERR_DATA',
        `${table.source} has ${table.rows} rows; ${last} windows of ${window} rows need ${needed}`,
      );
    }
    const starts = Int32Array.from({ length: last }, (_, i) => table.rows - needed + i);
    const { data: forecasts } = await model.predict(table, starts);
    if (out !== undefined) {
      await writeForecasts(out, model, table, { starts, forecasts });
      printNote(options, `forecasts: ${out}`);
    }
    const found = [...forecastColumns(model, table, { starts, forecasts })];
    if (options.flag('json')) {
      printJson({ model: loaded.path, data: table.source, horizon, ...Object.fromEntries(found) });
    } else if (out === undefined) {
      const rows = Array.from({ length: last * horizon }, (_, row) => found.map(([, values]) => cell(values[row])));
      printText(columns([found.map(([name]) => name), ...rows]));
    }
    return exitCodes.success;
  },
};

function cell(value: unknown): string {
  return typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(3) : String(value);
}
