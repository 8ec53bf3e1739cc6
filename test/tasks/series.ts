import type { data } from 'cudnn-gru';

/** A table of `rows` days from 2020-01-01 on: `level` and `other` swing with some deterministic unrest. */
export function seriesTable(rows: number): data.Table {
  const date = Array.from({ length: rows }, (_, row) =>
    new Date(Date.UTC(2020, 0, 1 + row)).toISOString().slice(0, 10),
  );
  const unrest = (row: number) => ((row * 7919) % 101) / 101 - 0.5;
  const level = Float64Array.from({ length: rows }, (_, row) => 10 + 5 * Math.sin(row / 9) + unrest(row));
  const other = Float64Array.from({ length: rows }, (_, row) => Math.cos(row / 9) + unrest(row));
  return {
    source: 'series',
    rows,
    columns: new Map<string, Float64Array | string[]>([
      ['date', date],
      ['level', level],
      ['other', other],
    ]),
  };
}

/** The table with every number of the rows from `first` on changed. */
export function disturbed(table: data.Table, first: number): data.Table {
  const change = (column: Float64Array | readonly string[]) =>
    column instanceof Float64Array ? column.map((value, row) => (row < first ? value : 100 - 3 * value)) : column;
  return { ...table, columns: new Map(Array.from(table.columns, ([name, column]) => [name, change(column)])) };
}

/** The first `rows` rows. */
export function cut(table: data.Table, rows: number): data.Table {
  return {
    ...table,
    rows,
    columns: new Map(Array.from(table.columns, ([name, column]) => [name, column.slice(0, rows)])),
  };
}
