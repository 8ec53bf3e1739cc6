import { checkString, wrongKind } from '../../arguments.js';
import { numericColumn, numericRows, type Table } from '../../data/csv.js';
import { Scaler } from '../../data/scalers.js';
import type { DetectionPreprocessing } from './preprocessing.js';

/** One series of rows, in the order of time. */
export interface DetectionSeries {
  /** What the entity column says; '' without one. */
  readonly entity: string;
  /** Where each row stands in the table, from 0: [rows]. */
  readonly tableRows: Int32Array;
  /** [rows, features], row-major, in the features' units. */
  readonly values: Float64Array;
  /** 1 for an anomalous row, 0 for a normal one: [rows]; null when nobody labelled them. */
  readonly labels: Uint8Array | null;
}

/**
 * The series of a table: one, or one for each value of the column `entity`.
 *
 * @param inputs the columns of the features
 * @param label a column that is above 0 where a row is anomalous
 * @throws TypeError; CudnnGruError `ERR_DATA`
 */
export function detectionSeries(
  table: Table,
  { inputs, entity = null, label = null }: { inputs: readonly string[]; entity?: string | null; label?: string | null },
): DetectionSeries[] {
  if (!Array.isArray(inputs) || inputs.length === 0) throw wrongKind('inputs', 'an array of column names', inputs);
  for (const [i, name] of inputs.entries()) checkString(name, `inputs[${i}]`);
  const values = numericRows(table, inputs);
  const marks = label === null ? null : numericColumn(table, label);
  const owners = entity === null ? null : (table.columns.get(entity) ?? numericColumn(table, entity));
  const rowsOf = new Map<string, number[]>();
  for (let row = 0; row < table.rows; row++) {
    const name = owners ? String(owners[row]) : '';
    const rows = rowsOf.get(name);
    if (rows) rows.push(row);
    else rowsOf.set(name, [row]);
  }
  const width = inputs.length;
  return Array.from(rowsOf, ([name, rows]) => ({
    entity: name,
    tableRows: Int32Array.from(rows),
    values: Float64Array.from({ length: rows.length * width }, (_, i) => {
      const row = rows[Math.floor(i / width)] as number;
      return values[row * width + (i % width)] as number;
    }),
    labels: marks && Uint8Array.from(rows, (row) => Number((marks[row] as number) > 0)),
  }));
}

/** The rows as the model reads them: [rows, features]. */
export function scaledRows(
  { values }: DetectionSeries,
  { scaler }: Pick<DetectionPreprocessing, 'scaler'>,
): Float32Array {
  return Scaler.fromJSON(scaler).transform(values);
}
