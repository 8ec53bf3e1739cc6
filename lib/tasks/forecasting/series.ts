import { quote } from '../../arguments.js';
import { numericColumn, type Table } from '../../data/csv.js';
import { CudnnGruError } from '../../errors.js';
import { timeLabels, timesAfter, timesOf } from './calendar.js';

/** The columns of a table that a forecaster reads. */
export interface SeriesColumns {
  /** The column that is forecast; also the first input. */
  readonly target: string;
  /** All columns that the model reads of the past only, the target first. */
  readonly inputs: readonly string[];
  /** Columns that are known ahead: the model reads them in the rows to come as well. */
  readonly known: readonly string[];
  /** The column of times; null when there is none. */
  readonly time: string | null;
  /** The column that names the series of each row; null when all rows are of one. */
  readonly entity: string | null;
}

/** Where the rows of a series lie: `first` to below `known` hold the target, `known` to below `end` only what is known ahead. */
export interface SeriesRows {
  /** As the entity's column has it; '' without one. */
  readonly name: string;
  readonly first: number;
  readonly known: number;
  readonly end: number;
}

/** A table as a forecaster reads it: the rows of each series side by side, in the order of the table. */
export interface SeriesTable {
  readonly source: string;
  readonly columns: ReadonlyMap<string, Float64Array>;
  /** Milliseconds since 1970 UTC of each row, rising within a series; null without times. */
  readonly times: Float64Array | null;
  readonly series: readonly SeriesRows[];
  /** The row of the table that each row was. */
  readonly order: Int32Array;
}

/**
 * Brings the rows of each series together and checks them.
 *
 * @throws CudnnGruError `ERR_DATA` for a missing column and for a cell that cannot be used
 */
export function seriesTable(table: Table, wanted: SeriesColumns): SeriesTable {
  const { target, inputs, known, time, entity } = wanted;
  const { names, seriesOf } = seriesNames(table, entity);
  const times = time === null ? null : timesOf(table, time, entity === null ? undefined : seriesOf);
  const order = Int32Array.from({ length: table.rows }, (_, row) => row).sort(
    (a, b) => (seriesOf[a] as number) - (seriesOf[b] as number) || a - b,
  );
  const grouped = (column: Float64Array) => Float64Array.from(order, (row) => column[row] as number);
  const columns = new Map([...inputs, ...known].map((name) => [name, grouped(numericColumn(table, name))]));
  const values = columns.get(target) as Float64Array;
  const series: SeriesRows[] = [];
  for (let first = 0, end = 0; first < table.rows; first = end) {
    const number = seriesOf[order[first] as number] as number;
    while (end < table.rows && seriesOf[order[end] as number] === number) end++;
    let last = end;
    while (last > first && Number.isNaN(values[last - 1])) last--;
    series.push({ name: names[number] as string, first, known: last, end });
  }
  const sorted = { source: table.source, columns, times: times && grouped(times), series, order };
  for (const name of inputs) checkCells(table, sorted, name, 'known');
  for (const name of known) checkCells(table, sorted, name, 'end');
  return sorted;
}

function seriesNames(table: Table, entity: string | null): { names: readonly string[]; seriesOf: Int32Array } {
  if (entity === null) return { names: [''], seriesOf: new Int32Array(table.rows) };
  const column = table.columns.get(entity);
  if (column === undefined) throw new CudnnGruError('ERR_DATA', `${table.source} has no column ${quote(entity)}`);
  const numbers = new Map<string, number>();
  const seriesOf = Int32Array.from({ length: table.rows }, (_, row) => {
    const name = String(column[row]);
    if (!numbers.has(name)) numbers.set(name, numbers.size);
    return numbers.get(name) as number;
  });
  return { names: [...numbers.keys()], seriesOf };
}

function checkCells(table: Table, { columns, series, order }: SeriesTable, name: string, until: 'known' | 'end'): void {
  const values = columns.get(name) as Float64Array;
  for (const one of series) {
    for (let row = one.first; row < one[until]; row++) {
      if (Number.isFinite(values[row])) continue;
      const place = `${table.source}, row ${(order[row] as number) + (table.firstRow ?? 2)}, column ${quote(name)}`;
      throw new CudnnGruError('ERR_DATA', `${place}: the cell is empty, and the target is known here or later`);
    }
  }
}

/** Labels of the rows of a series and of the `extra` rows that would follow: times, or row numbers from 1. */
export function seriesLabels({ times }: SeriesTable, { first, end }: SeriesRows, extra: number): string[] {
  if (times === null) return Array.from({ length: end - first + extra }, (_, row) => String(row + 1));
  const own = times.slice(first, end);
  return timeLabels(Float64Array.from([...own, ...timesAfter(own, extra)]));
}

/** The series that holds a row. */
export function seriesAt({ series }: Pick<SeriesTable, 'series'>, row: number): SeriesRows {
  return series.find(({ end }) => row < end) as SeriesRows;
}
