import Type from 'typebox';
import { describe, quote, wrongKind, wrongRange } from '../arguments.js';
import type { Table } from '../data/csv.js';
import { argumentRangeError } from '../errors.js';
import { rowLabels } from '../tasks/forecast_csv.js';
import { Forecaster, type ForecastPreprocessing, preprocessingOf } from '../tasks/index.js';
import type { Task } from './task_routes.js';

const Columns = Type.Record(Type.String(), Type.Array(Type.Unknown()), {
  description: "The model's columns by name, oldest row first: numbers, and dates or times as text",
});

/** `/forecast`: the rows behind the end of a table. */
export const forecastTask: Task = {
  name: 'forecast',
  summary: 'Forecasts the rows behind the end of a series',
  properties: { columns: Columns },

  serves: ({ model }) => model instanceof Forecaster && model.preprocessing !== null,

  async answer(served, body, signal) {
    const { columns } = body as { columns: Type.Static<typeof Columns> };
    const model = served.model as Forecaster;
    const preprocessing = preprocessingOf(model);
    const table = readTable(columns, preprocessing);
    const changesOf = async (windows: Parameters<typeof served.infer>[0][number]) => {
      const [changes] = await served.infer([windows], signal);
      return changes?.data as Float32Array;
    };
    const { data } = await model.predictWith(changesOf, table);
    const { target, time, horizon } = preprocessing;
    const labels = rowLabels(table, time, horizon).slice(-horizon - 1);
    return { target, made: labels[0], [time === null ? 'rows' : 'times']: labels.slice(1), forecast: Array.from(data) };
  },
};

/** @throws TypeError, RangeError naming the field */
function readTable(
  columns: Readonly<Record<string, readonly unknown[]>>,
  { inputs, time, window }: ForecastPreprocessing,
): Table {
  const names = time === null ? inputs : [...inputs, time];
  const table = new Map<string, Float64Array | string[]>();
  const rows = columnOf(columns, names[0] as string).length;
  if (rows < window) throw argumentRangeError(`columns: expected at least ${window} rows, got ${rows}`);
  for (const name of names) {
    const column = columnOf(columns, name);
    const field = `columns[${quote(name)}]`;
    if (column.length !== rows) throw wrongRange(field, `${rows} rows as in ${quote(names[0] as string)}`, column);
    const wanted = name === time ? 'string' : 'number';
    const wrong = column.findIndex((cell) => typeof cell !== wanted || (wanted === 'number' && !Number.isFinite(cell)));
    if (wrong >= 0) throw wrongKind(`${field}[${wrong}]`, `a ${wanted}`, column[wrong]);
    table.set(name, name === time ? (column as string[]) : Float64Array.from(column as number[]));
  }
  return { source: 'columns', rows, firstRow: 1, columns: table };
}

function columnOf(columns: Readonly<Record<string, readonly unknown[]>>, name: string): readonly unknown[] {
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined;
  if (column === undefined)
    throw argumentRangeError(`columns: ${quote(name)} is missing; got ${describe(Object.keys(columns).join(', '))}`);
  return column;
}
