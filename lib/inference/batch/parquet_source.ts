import type { AsyncBuffer, DecodedArray, FileMetaData, SchemaElement } from 'hyparquet';
import { quote } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import { FileSource } from '../../formats/byte_source.js';
import { blocksOf, type NumberedRow } from './blocks.js';
import { wantedColumns } from './columns.js';
import { parquetReader } from './parquet_library.js';
import type { RowChecker, RowValues } from './row_values.js';
import type { RowSource, SourceItem, SourcePosition } from './source.js';

type Library = Awaited<ReturnType<typeof parquetReader>>;

/** A column's values of consecutive rows, of which `first` (counted from 0) is the first. */
interface Column {
  readonly first: number;
  readonly values: DecodedArray;
}

/**
 * A Parquet file, one row group in memory at a time. Its rows are nested lists in a column with the input's name (or the only one
 * asked for), or else numbers in columns side by side, as in CSV.
 */
export class ParquetSource implements RowSource {
  readonly #file: FileSource;
  readonly #bytes: AsyncBuffer;
  readonly #library: Library;
  readonly #metadata: FileMetaData;
  readonly #columns: readonly string[];
  readonly #isNested: boolean;
  readonly #checker: RowChecker;

  private constructor(
    {
      file,
      bytes,
      library,
      metadata,
    }: { file: FileSource; bytes: AsyncBuffer; library: Library; metadata: FileMetaData },
    { columns, isNested }: { columns: readonly string[]; isNested: boolean },
    checker: RowChecker,
  ) {
    this.#file = file;
    this.#bytes = bytes;
    this.#library = library;
    this.#metadata = metadata;
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
    const library = await parquetReader();
    const file = await FileSource.open(path);
    try {
      const bytes: AsyncBuffer = {
        byteLength: file.size,
        async slice(start: number, end: number = file.size): Promise<ArrayBuffer> {
          const buffer = new ArrayBuffer(Math.max(0, Math.min(end, file.size) - start));
          await file.read(new Uint8Array(buffer), start);
          return buffer;
        },
      };
      const metadata = await parsing(path, () => library.parquetMetadataAsync(bytes));
      const schema = library.parquetSchema(metadata).children.map(({ element }) => element);
      const opened = { file, bytes, library, metadata };
      return new ParquetSource(opened, chooseColumns(path, schema, name, wanted), checker);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get size(): number {
    return this.#file.size;
  }

  async countRows(): Promise<number> {
    return Number(this.#metadata.num_rows);
  }

  async *read(from: SourcePosition = { rows: 0, end: 0 }, rows = Number.POSITIVE_INFINITY): AsyncGenerator<SourceItem> {
    let groupEnd = 0;
    for (const { num_rows } of this.#metadata.row_groups) {
      const start = Math.max(groupEnd, from.rows);
      groupEnd += Number(num_rows);
      const end = Math.min(groupEnd, from.rows + rows);
      if (start >= end) continue;
      const columns = await parsing(this.#file.path, () => this.#readColumns(start, end));
      yield* blocksOf(this.#rows(columns, start, end), this.#checker);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #readColumns(start: number, end: number): Promise<Column[]> {
    const { parquetRead, flatten, compressors } = this.#library;
    const found = new Map<string, { first: number; parts: DecodedArray[] }>();
    await parquetRead({
      file: this.#bytes,
      metadata: this.#metadata,
      columns: [...this.#columns],
      compressors,
      rowStart: start,
      rowEnd: end,
      onChunk({ columnName, columnData, rowStart }) {
        const before = found.get(columnName);
        if (before) before.parts.push(columnData);
        else found.set(columnName, { first: rowStart, parts: [columnData] });
      },
    });
    return this.#columns.map((name) => {
      const { first, parts } = found.get(name) ?? { first: 0, parts: [] };
      const values = flatten(parts);
      if (first > start || first + values.length < end) {
        throw new Error(`the column ${quote(name)} has not as many values as its row group has rows`);
      }
      return { first, values };
    });
  }

  *#rows(columns: readonly Column[], start: number, end: number): Generator<NumberedRow> {
    const bytesOfRow = this.size / Math.max(1, Number(this.#metadata.num_rows));
    const cells = new Float64Array(columns.length);
    const order = columns.map((_, i) => i);
    const [nested] = columns as [Column];
    for (let row = start; row < end; row++) {
      const values = this.#isNested
        ? this.#checker.fromNested(withNumbers(nested.values[row - nested.first]))
        : this.#flatRow(columns, row, cells, order);
      yield { ...values, row: row + 1, end: Math.round((row + 1) * bytesOfRow) };
    }
  }

  #flatRow(columns: readonly Column[], row: number, cells: Float64Array, order: readonly number[]): RowValues {
    for (let i = 0; i < columns.length; i++) {
      const { first, values } = columns[i] as Column;
      const cell: unknown = values[row - first];
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
