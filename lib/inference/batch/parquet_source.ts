import type { DecodedArray, ParquetScan, SchemaElement } from 'hyparquet';
import { quote } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import { FileSource } from '../../formats/byte_source.js';
import { blocksOf, type NumberedRow } from './blocks.js';
import { wantedColumns } from './columns.js';
import { parquetReader } from './parquet_library.js';
import type { RowChecker, RowValues } from './row_values.js';
import type { RowSource, SourceItem, SourcePosition } from './source.js';

/**
 * A Parquet file, one row group in memory at a time. Its rows are nested lists in a column with the input's name (or the only one
 * asked for), or else numbers in columns side by side, as in CSV.
 */
export class ParquetSource implements RowSource {
  readonly #file: FileSource;
  readonly #scan: ParquetScan;
  readonly #columns: readonly string[];
  readonly #isNested: boolean;
  readonly #checker: RowChecker;

  private constructor(
    file: FileSource,
    scan: ParquetScan,
    { columns, isNested }: { columns: readonly string[]; isNested: boolean },
    checker: RowChecker,
  ) {
    this.#file = file;
    this.#scan = scan;
    this.#columns = columns;
    this.#isNested = isNested;
    this.#checker = checker;
  }

  /**
   * @param name of the model's input
   * @param wanted names of the columns that are read, in their order. Default: `name`, if it is a list, else all
   * @throws CudnnGruError `ERR_UNSUPPORTED` where the library is not installed, `ERR_FORMAT`, `ERR_FILE`, `ERR_DATA`
   */
  static async open(
    path: string,
    name: string,
    checker: RowChecker,
    wanted: readonly string[] | undefined,
  ): Promise<ParquetSource> {
    const { parquetMetadataAsync, parquetSchema, parquetScan, compressors } = await parquetReader();
    const file = await FileSource.open(path);
    try {
      const bytes = {
        byteLength: file.size,
        async slice(start: number, end: number = file.size): Promise<ArrayBuffer> {
          const buffer = new ArrayBuffer(Math.max(0, Math.min(end, file.size) - start));
          await file.read(new Uint8Array(buffer), start);
          return buffer;
        },
      };
      const metadata = await parsing(path, () => parquetMetadataAsync(bytes));
      const schema = parquetSchema(metadata).children.map(({ element }) => element);
      const chosen = chooseColumns(path, schema, name, wanted);
      const options = { file: bytes, metadata, columns: [...chosen.columns], compressors };
      const scan = await parsing(path, () => parquetScan(options));
      return new ParquetSource(file, scan, chosen, checker);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get size(): number {
    return this.#file.size;
  }

  async countRows(): Promise<number> {
    return Number(this.#scan.metadata.num_rows);
  }

  async *read(from: SourcePosition = { rows: 0, end: 0 }, rows = Number.POSITIVE_INFINITY): AsyncGenerator<SourceItem> {
    for (const { rowStart, rowEnd } of this.#scan.ranges) {
      const start = Math.max(rowStart, from.rows);
      const end = Math.min(rowEnd, from.rows + rows);
      if (start >= end) continue;
      const read = (column: string) => this.#scan.readColumn({ column, rowStart: start, rowEnd: end });
      const columns = await parsing(this.#file.path, () => Promise.all(this.#columns.map(read)));
      yield* blocksOf(this.#rows(columns, start, end), this.#checker);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  *#rows(columns: readonly DecodedArray[], start: number, end: number): Generator<NumberedRow> {
    const bytesOfRow = this.size / Math.max(1, Number(this.#scan.metadata.num_rows));
    const cells = new Float64Array(columns.length);
    const order = columns.map((_, i) => i);
    for (let row = start + 1; row <= end; row++) {
      const values = this.#isNested
        ? this.#checker.fromNested(withNumbers((columns[0] as DecodedArray)[row - start - 1]))
        : this.#flatRow(columns, row - start - 1, cells, order);
      yield { ...values, row, end: Math.round(row * bytesOfRow) };
    }
  }

  #flatRow(columns: readonly DecodedArray[], index: number, cells: Float64Array, order: readonly number[]): RowValues {
    for (let i = 0; i < columns.length; i++) {
      const cell: unknown = (columns[i] as DecodedArray)[index];
      const isNumber = typeof cell === 'number' || typeof cell === 'bigint' || typeof cell === 'boolean';
      if (cell !== null && cell !== undefined && (!isNumber || Number.isNaN(cell))) {
        return { reason: `${quote(this.#columns[i] as string)}: expected a number, got ${quote(String(cell))}` };
      }
      cells[i] = isNumber ? Number(cell) : Number.NaN;
    }
    return this.#checker.fromCells(order, cells, this.#columns);
  }
}

function chooseColumns(
  path: string,
  schema: readonly SchemaElement[],
  name: string,
  wanted: readonly string[] | undefined,
): { columns: readonly string[]; isNested: boolean } {
  const names = schema.map((element) => element.name);
  const isList = (column: string) => schema[names.indexOf(column)]?.num_children !== undefined;
  const columns = wanted ?? (names.includes(name) && isList(name) ? [name] : names);
  wantedColumns(path, names, columns);
  const isNested = columns.length === 1 && isList(columns[0] as string);
  const list = isNested ? undefined : columns.find(isList);
  if (list === undefined) return { columns, isNested };
  throw new CudnnGruError(
    'ERR_DATA',
    `${path}: the column ${quote(list)} holds lists; rows are one column of lists (${quote(name)}) or columns of numbers`,
  );
}

// Whole numbers of 64 bits come as bigint.
function withNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array, Number);
  return Array.isArray(value) ? value.map(withNumbers) : value;
}

async function parsing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CudnnGruError) throw error;
    throw new CudnnGruError('ERR_FORMAT', `${path} is no Parquet file that can be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
