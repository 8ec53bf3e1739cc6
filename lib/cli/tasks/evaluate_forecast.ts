import { given } from '../../arguments.js';
import { exitCodes } from '../command.js';
import { printJson, printNote, printText } from '../output.js';
import { forecasterData } from './load_forecaster.js';
import type { TaskCommand } from './task.js';

export const evaluateForecast: TaskCommand = {
  options: [
    ['--last <rows>', 'Forecast these last rows (default: those later than the training data; without times all)'],
    ['--horizon <rows>', "Rows to forecast; beyond the model's own recursively (default: its own)"],
    ['--out <file>', 'Also write the forecasts (.csv)'],
  ],
  examples: [
    'evaluate model.safetensors --data weather.csv',
    'evaluate model.safetensors --data weather.csv --last 365 --json',
  ],

  async run(loaded, options) {
    const last = options.integer('last', { min: 1 });
    const horizon = options.integer('horizon', { min: 1 });
    const out = options.text('out');
    const { model, table } = await forecasterData(loaded, options);
    const { evaluateForecaster, evaluationTable, writeForecasts } = await import('../../tasks/index.js');
    const evaluation = await evaluateForecaster(model, table, given({ last, horizon }));
    if (out !== undefined) {
      await writeForecasts(out, model, table, evaluation);
      printNote(options, `forecasts: ${out}`);
    }
    const { starts, errors, baselines } = evaluation;
    if (options.flag('json'))
      printJson({ model: loaded.path, data: table.source, forecasts: starts.length, errors, baselines });
    else printText(evaluationTable(evaluation, model));
    return exitCodes.success;
  },
};
