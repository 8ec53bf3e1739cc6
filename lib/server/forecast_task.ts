import { Forecaster, forecastColumns, preprocessingOf } from '../tasks/forecasting/index.js';
import { Columns, readTable } from './request_table.js';
import type { Task } from './task_routes.js';

/** `/forecast`: the rows behind the end of a table, or of each series in it. */
export const forecastTask: Task = {
  name: 'forecast',
  summary: 'Forecasts the rows behind the end of one or several series',
  properties: { columns: Columns },

  serves: ({ model }) => model instanceof Forecaster && model.preprocessing !== null,

  async answer(served, body, signal) {
    const { columns } = body as { columns: Columns };
    const model = served.model as Forecaster;
    const { target, inputs, known, time, entity, window, quantiles: levels } = preprocessingOf(model);
    const table = readTable(columns, {
      numeric: [...inputs, ...known],
      text: [time, entity].filter((name) => name !== null),
      minRows: window,
      // What is known ahead stands in rows behind the last target.
      gaps: known.length > 0 ? inputs : [],
    });
    const compute = async (windows: Parameters<typeof served.infer>[0][number]) => {
      const [answers] = await served.infer([windows], signal);
      return answers?.data as Float32Array;
    };
    const { starts, forecasts, quantiles, horizon } = await model.forecastWith(compute, table);
    const named = forecastColumns(model, table, { starts, forecasts });
    const rows = [...(named.get(time ?? 'row') as string[])];
    const answers = Array.from(starts, (_, i) => {
      const part = <T>(list: Iterable<T>) => [...list].slice(i * horizon, (i + 1) * horizon);
      return {
        ...(entity !== null && { [entity]: named.get(entity)?.[i * horizon] }),
        made: named.get('made')?.[i * horizon],
        [time === null ? 'rows' : 'times']: part(rows),
        forecast: part(forecasts),
        ...(quantiles && {
          quantiles: Object.fromEntries(
            levels.map((level, q) => [
              level,
              part(forecasts.map((_, at) => quantiles[at * levels.length + q] as number)),
            ]),
          ),
        }),
      };
    });
    return { target, ...(entity === null ? answers[0] : { series: answers }) };
  },
};
