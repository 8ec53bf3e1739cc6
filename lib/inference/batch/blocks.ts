import type { RowChecker, RowValues } from './row_values.js';
import type { SourceItem } from './source.js';

const mostRows = 32;

/** A row of a file, and the byte at which it ends (0 where that cannot be said). */
export type NumberedRow = RowValues & { readonly row: number; readonly end: number };

/** Rows as items: those of one shape that follow each other, as a block. */
export function* blocksOf(rows: Iterable<NumberedRow>, checker: RowChecker): Generator<SourceItem> {
  let block: Extract<NumberedRow, { data: unknown }>[] = [];
  const joined = (): SourceItem => {
    const [{ row, shape, data: first }] = block as [(typeof block)[0]];
    const count = block.length;
    const data = checker.array(count * first.length);
    for (const [i, each] of block.entries()) data.set(each.data, i * first.length);
    const { end } = block.at(-1) as (typeof block)[0];
    block = [];
    return { row, count, shape, data, end };
  };
  for (const row of rows) {
    const isBad = 'reason' in row;
    if (block.length > 0 && (isBad || block.length === mostRows || !sameShape(block[0]?.shape, row.shape))) {
      yield joined();
    }
    if (isBad) yield { row: row.row, reason: row.reason, end: row.end };
    else block.push(row);
  }
  if (block.length > 0) yield joined();
}

function sameShape(a: readonly number[] | undefined, b: readonly number[]): boolean {
  return a?.length === b.length && a.every((size, i) => size === b[i]);
}
