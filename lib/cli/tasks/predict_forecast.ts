import { given } from '../../arguments.js';
import { exitCodes } from '../command.js';
import { columns, printJson, printNote, printText } from '../output.js';
import { forecasterData } from './load_forecaster.js';
import type { TaskCommand } from './task.js';

export const predictForecast: TaskCommand = {
  options: [
    ['--out <file>', 'Write the forecasts to this file (.csv) and not to stdout'],
    ['--last <rows>', 'Forecast as if made after each of so many last rows of each series (default: 1, the last)'],
    ['--horizon <rows>', "Rows to forecast; beyond the model's own recursively (default: its own)"],
  ],
  examples: ['predict model.safetensors --data weather.csv --out forecast.csv'],

  async run(loaded, options) {
    const last = options.integer('last', { min: 1 }) ?? 1;
    const out = options.text('out');
    const { model, table } = await forecasterData(loaded, options);
    const [{ forecastColumns, preprocessingOf, writeForecasts }, { lastStarts }, { seriesTable }] = await Promise.all([
      import('../../tasks/index.js'),
      import('../../tasks/forecasting/predict_windows.js'),
      import('../../tasks/forecasting/series.js'),
    ]);
    const horizon = options.integer('horizon', { min: 1 });
    const preprocessing = preprocessingOf(model);
    const starts = lastStarts(seriesTable(table, preprocessing), preprocessing.window, last);
    const raw = await model.forecastWith(model.compute, table, starts, given({ horizon }));
    if (out !== undefined) {
      await writeForecasts(out, model, table, raw);
      printNote(options, `forecasts: ${out}`);
    }
    const found = [...forecastColumns(model, table, raw)];
    if (options.flag('json')) {
      printJson({ model: loaded.path, data: table.source, horizon: raw.horizon, ...Object.fromEntries(found) });
    } else if (out === undefined) {
      const rows = Array.from({ length: raw.forecasts.length }, (_, row) =>
        found.map(([, values]) => cell(values[row])),
      );
      printText(columns([found.map(([name]) => name), ...rows]));
    }
    return exitCodes.success;
  },
};

function cell(value: unknown): string {
  return typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(3) : String(value);
}
