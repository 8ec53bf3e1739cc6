import type { NumericArray } from '../../data/types.js';
import { CudnnGruError } from '../../errors.js';

/** Rows of one shape that follow each other in the input. */
export interface RowBlock {
  /** The number of the first one, counted from 1. */
  readonly row: number;
  readonly count: number;
  /** Of one row. */
  readonly shape: readonly number[];
  /** [count, ...shape] */
  readonly data: NumericArray;
  /** Bytes of the input up to the end of these rows; 0 where that cannot be said. */
  readonly end: number;
}

/** A row that cannot be computed, and why. */
export interface BadRow {
  readonly row: number;
  readonly reason: string;
  readonly end: number;
}

export type SourceItem = RowBlock | BadRow;

/** Where reading begins: behind `rows` rows, which end at the byte `end`. */
export interface SourcePosition {
  readonly rows: number;
  readonly end: number;
}

/** The rows of a file. */
export interface RowSource {
  /** Bytes of the file. */
  readonly size: number;
  /** How many rows there are; a text has to be read for it. */
  countRows(): Promise<number>;
  /** @param from default: the start. @param rows read so many at most. Default: all. */
  read(from?: SourcePosition, rows?: number): AsyncGenerator<SourceItem>;
  close(): Promise<void>;
}

export function isBad(item: SourceItem): item is BadRow {
  return 'reason' in item;
}

/** @throws always, CudnnGruError `ERR_DATA` */
export function refuseRow(input: string, { row, reason }: BadRow): never {
  throw new CudnnGruError('ERR_DATA', `${input}, row ${row}: ${reason}`);
}
