import { rowLabels } from '../tasks/forecast_csv.js';
import { Forecaster, preprocessingOf } from '../tasks/index.js';
import { Columns, readTable } from './request_table.js';
import type { Task } from './task_routes.js';

/** `/forecast`: the rows behind the end of a table. */
export const forecastTask: Task = {
  name: 'forecast',
  summary: 'Forecasts the rows behind the end of a series',
  properties: { columns: Columns },

  serves: ({ model }) => model instanceof Forecaster && model.preprocessing !== null,

  async answer(served, body, signal) {
    const { columns } = body as { columns: Columns };
    const model = served.model as Forecaster;
    const preprocessing = preprocessingOf(model);
    const { target, time, horizon } = preprocessing;
    const table = readTable(columns, {
      numeric: preprocessing.inputs,
      text: time === null ? [] : [time],
      minRows: preprocessing.window,
    });
    const changesOf = async (windows: Parameters<typeof served.infer>[0][number]) => {
      const [changes] = await served.infer([windows], signal);
      return changes?.data as Float32Array;
    };
    const { data } = await model.predictWith(changesOf, table);
    const labels = rowLabels(table, time, horizon).slice(-horizon - 1);
    return { target, made: labels[0], [time === null ? 'rows' : 'times']: labels.slice(1), forecast: Array.from(data) };
  },
};
