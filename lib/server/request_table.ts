import Type from 'typebox';
import { describe, quote, wrongKind, wrongRange } from '../arguments.js';
import type { Table } from '../data/csv.js';
import { argumentRangeError } from '../errors.js';

export const Columns = Type.Record(Type.String(), Type.Array(Type.Unknown()), {
  description: "The model's columns by name, oldest row first: numbers, and dates or times as text",
});
export type Columns = Type.Static<typeof Columns>;

interface WantedColumns {
  readonly numeric: readonly string[];
  readonly text: readonly string[];
  /** Rows of a request that can be answered. */
  readonly minRows: number;
  /** Those of the numeric columns in which null stands for no value. */
  readonly gaps?: readonly string[];
}

/**
 * A table from columns in JSON.
 *
 * @throws TypeError, RangeError naming the field
 */
export function readTable(columns: Columns, { numeric, text, minRows, gaps = [] }: WantedColumns): Table {
  const table = new Map<string, Float64Array | string[]>();
  const [first] = numeric as [string];
  const rows = columnOf(columns, first).length;
  if (rows < minRows) throw argumentRangeError(`columns: expected at least ${minRows} rows, got ${rows}`);
  for (const name of [...numeric, ...text]) {
    const column = columnOf(columns, name);
    const field = `columns[${quote(name)}]`;
    if (column.length !== rows) throw wrongRange(field, `${rows} rows as in ${quote(first)}`, column);
    const wanted = text.includes(name) ? 'string' : 'number';
    // JSON's numbers are finite but for those beyond float64, as 1e999.
    const wrong = column.findIndex(
      (cell) =>
        !(cell === null && gaps.includes(name)) &&
        (typeof cell !== wanted || Math.abs(cell as number) === Number.POSITIVE_INFINITY),
    );
    if (wrong >= 0) throw wrongKind(`${field}[${wrong}]`, `a ${wanted}`, column[wrong]);
    table.set(
      name,
      wanted === 'string' ? (column as string[]) : Float64Array.from(column as number[], (cell) => cell ?? Number.NaN),
    );
  }
  return { source: 'columns', rows, firstRow: 1, columns: table };
}

function columnOf(columns: Columns, name: string): readonly unknown[] {
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined;
  if (column === undefined)
    throw argumentRangeError(`columns: ${quote(name)} is missing; got ${describe(Object.keys(columns).join(', '))}`);
  return column;
}
