import { type Command, exitCodes, resultOptions } from './command.js';
import { forecasterOptions, loadForecaster } from './load_forecaster.js';
import { printJson, printNote, printText } from './output.js';

export const evaluate: Command = {
  usage: 'evaluate <model>',
  description: 'Compare the forecasts of a model with what came, beside simple baselines',
  options: [
    ...forecasterOptions,
    ['--last <rows>', 'Forecast these last rows (default: those later than the training data; without times all)'],
    ['--out <file>', 'Also write the forecasts (.csv)'],
    ...resultOptions,
  ],
  examples: [
    'evaluate model.safetensors --data weather.csv',
    'evaluate model.safetensors --data weather.csv --last 365 --json',
  ],

  async run([path], options) {
    const last = options.integer('last', { min: 1 });
    const out = options.text('out');
    const { model, table } = await loadForecaster(path as string, options);
    const { evaluateForecaster, evaluationTable, writeForecasts } = await import('../tasks/index.js');
    const evaluation = await evaluateForecaster(
      model,
      table,
      last === undefined ? {} : { firstRow: Math.max(0, table.rows - last) },
    );
    if (out !== undefined) {
      await writeForecasts(out, model, table, evaluation);
      printNote(options, `forecasts: ${out}`);
    }
    const { starts, errors, baselines } = evaluation;
    if (options.flag('json'))
      printJson({ model: path, data: table.source, forecasts: starts.length, errors, baselines });
    else printText(evaluationTable(evaluation, model));
    return exitCodes.success;
  },
};
