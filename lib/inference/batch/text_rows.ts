import { quote } from '../../arguments.js';
import type { RowChecker, RowValues } from './row_values.js';
import type { RowSource } from './source.js';
import { TextSource } from './text_source.js';

/** JSON Lines: in each line the row as nested arrays, or an object that has them under the input's name. */
export function openJsonLines(path: string, name: string, checker: RowChecker): Promise<RowSource> {
  return TextSource.open(path, (line): RowValues => {
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

const number = /^\s*"?\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*"?\s*$/;

/** CSV below a header: a row's numbers side by side, all steps of a sequence; empty cells at the end are steps that it does not have. */
export async function openCsv(path: string, checker: RowChecker): Promise<RowSource> {
  let delimiter = ',';
  let columns = 0;
  const parse = (line: string): RowValues => {
    const cells = line.split(delimiter);
    if (cells.length !== columns) return { reason: `${cells.length} cells, but the header has ${columns}` };
    while (cells.length > 0 && cells.at(-1)?.trim() === '') cells.pop();
    const values: number[] = [];
    for (const [i, cell] of cells.entries()) {
      // Plain numbers, which most are, need no pattern.
      const value = Number(number.exec(cell)?.[1] ?? Number.NaN);
      if (!Number.isFinite(value)) return { reason: `cell ${i + 1}: expected a number, got ${quote(cell)}` };
      values.push(value);
    }
    return checker.fromFlat(values);
  };
  return TextSource.open(path, parse, (header) => {
    delimiter = [',', ';', '\t', '|'].find((candidate) => header.includes(candidate)) ?? ',';
    columns = header.split(delimiter).length;
  });
}
