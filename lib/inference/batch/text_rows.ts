import { quote } from '../../arguments.js';
import { CellReader, headerNames } from './cells.js';
import { wantedColumns } from './columns.js';
import type { RowChecker, RowValues } from './row_values.js';
import type { RowSource } from './source.js';
import { TextSource } from './text_source.js';

/** JSON Lines: in each line the row as nested arrays, or an object that has them under the input's name. */
export function openJsonLines(path: string, name: string, checker: RowChecker): Promise<RowSource> {
  return TextSource.open(path, checker, (bytes, start, end): RowValues => {
    const line = bytes.toString('utf8', start, end);
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return { reason: `it is no JSON: ${quote(line)}` };
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return checker.fromNested(value);
    if (!Object.hasOwn(value, name)) return { reason: `it has no field ${quote(name)}` };
    return checker.fromNested((value as Record<string, unknown>)[name]);
  });
}

/**
 * CSV below a header: a row's numbers side by side, all steps of a sequence; empty cells at the end are steps that it does not have.
 *
 * @param columns the names of those that are read, in their order. Default: all
 * @throws CudnnGruError `ERR_DATA` for a name that the header does not have
 */
export async function openCsv(
  path: string,
  checker: RowChecker,
  columns: readonly string[] | undefined,
): Promise<RowSource> {
  let reader: CellReader;
  let isWanted: boolean[] = [];
  let order: number[] = [];
  let names: string[] = [];
  const parse = (bytes: Buffer, start: number, end: number): RowValues => {
    const reason = reader.read(bytes, start, end, isWanted);
    return reason === undefined ? checker.fromCells(order, reader.values, names) : { reason };
  };
  return TextSource.open(path, checker, parse, (header) => {
    const delimiter = [',', ';', '\t', '|'].find((candidate) => header.includes(candidate)) ?? ',';
    names = headerNames(header, delimiter);
    order = wantedColumns(path, names, columns);
    isWanted = names.map((_, i) => order.includes(i));
    reader = new CellReader(names.length, delimiter);
  });
}
