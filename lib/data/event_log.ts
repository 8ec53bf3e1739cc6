import { checkOptions, checkString, quote, wrongKind } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import { numericColumn, type Table } from './csv.js';
import { parseTime } from './times.js';

export interface EventLogOptions {
  /** The column that says whose event it is: a customer, a machine, a patient. */
  readonly entity: string;
  /** The column of times: numbers in any unit, or ISO 8601 dates and times, which are counted in days since 1970 UTC. */
  readonly time: string;
  /** Columns that describe the event: numbers, or text that takes few values (a kind of event). */
  readonly features: readonly string[];
}

/** Events of many entities, sorted by entity and then by time; events at the same time keep the order of the table. */
export interface EventLog {
  readonly source: string;
  /** Each entity once, in the order of its first row. */
  readonly entities: readonly string[];
  /** Entity e owns the events from `starts[e]` to below `starts[e + 1]`: [entities + 1]. */
  readonly starts: Int32Array;
  /** [events]. */
  readonly times: Float64Array;
  /** The features by name, [events] each. */
  readonly columns: ReadonlyMap<string, Float64Array | readonly string[]>;
  /** The row of the table (from 0) that each event came from: [events]. */
  readonly rows: Int32Array;
}

/**
 * Sorts the rows of a table, one for each event, by entity and time.
 *
 * @throws TypeError; CudnnGruError `ERR_DATA`, naming row and column, for a column that is not there, an empty entity and a cell that is no
 * time
 */
export function eventLog(table: Table, options: EventLogOptions): EventLog {
  checkOptions(options, 'options', ['entity', 'time', 'features']);
  const { features } = options;
  if (!Array.isArray(features)) throw wrongKind('features', 'an array of column names', features);
  const names = textColumn(table, checkString(options.entity, 'entity'));
  const times = timeColumn(table, checkString(options.time, 'time'));
  const numbers = new Map<string, number>();
  const owners = names.map((name, row) => {
    if (name === '') throw cellError(table, row, options.entity, 'the cell is empty');
    if (!numbers.has(name)) numbers.set(name, numbers.size);
    return numbers.get(name) as number;
  });
  const rows = Int32Array.from({ length: table.rows }, (_, row) => row).sort(
    (a, b) => (owners[a] as number) - (owners[b] as number) || (times[a] as number) - (times[b] as number) || a - b,
  );
  const starts = new Int32Array(numbers.size + 1);
  for (const owner of owners) starts[owner + 1] = (starts[owner + 1] as number) + 1;
  for (let entity = 0; entity < numbers.size; entity++) {
    starts[entity + 1] = (starts[entity + 1] as number) + (starts[entity] as number);
  }
  const columns = features.map((name, i): [string, Float64Array | string[]] => {
    const column = table.columns.get(checkString(name, `features[${i}]`));
    if (column === undefined) numericColumn(table, name); // says which columns there are
    return column instanceof Float64Array
      ? [name, Float64Array.from(rows, (row) => column[row] as number)]
      : [name, Array.from(rows, (row) => (column as readonly string[])[row] as string)];
  });
  return {
    source: table.source,
    entities: [...numbers.keys()],
    starts,
    times: Float64Array.from(rows, (row) => times[row] as number),
    columns: new Map(columns),
    rows,
  };
}

/** How many of an entity's events are not later than `time`, counted from its first. */
export function eventsUntil({ starts, times }: EventLog, entity: number, time: number): number {
  const first = starts[entity] as number;
  let low = first;
  let high = starts[entity + 1] as number;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) <= time) low = middle + 1;
    else high = middle;
  }
  return low - first;
}

function textColumn(table: Table, name: string): readonly string[] {
  const column = table.columns.get(name) ?? numericColumn(table, name);
  return column instanceof Float64Array ? Array.from(column, String) : column;
}

function timeColumn(table: Table, name: string): Float64Array {
  const column = table.columns.get(name) ?? numericColumn(table, name);
  if (column instanceof Float64Array) return column;
  return Float64Array.from(column, (cell, row) => {
    const days = parseTime(cell) / 86_400_000;
    if (Number.isNaN(days)) {
      throw cellError(table, row, name, `expected a number or a date such as 2012-01-31, got ${quote(cell)}`);
    }
    return days;
  });
}

function cellError({ source }: Table, row: number, column: string, reason: string): CudnnGruError {
  // The header is row 1 of the file.
  return new CudnnGruError('ERR_DATA', `${source}, row ${row + 2}, column ${quote(column)}: ${reason}`);
}
