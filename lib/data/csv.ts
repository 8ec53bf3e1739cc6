import type { FileHandle } from 'node:fs/promises';
import { checkOptions, checkString, hint, quote, wrongKind, wrongRange } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import { fileError, openForReading, writeFileAtomically } from '../formats/files.js';

/** A CSV file's columns. */
export interface Table {
  /** The file it came from, for messages. */
  readonly source: string;
  readonly rows: number;
  /** The number of the first row in messages. Default: 2, below the header. */
  readonly firstRow?: number;
  /** By name, in the order of the header: numbers, or text. */
  readonly columns: ReadonlyMap<string, Float64Array | readonly string[]>;
}

export interface CsvOptions {
  /** Columns whose every cell must be a number. */
  readonly numeric?: readonly string[];
  /** Those of the numeric columns whose empty cells become NaN. Default: none. */
  readonly gaps?: readonly string[];
  /** Columns kept as text. */
  readonly text?: readonly string[];
  /** Default: recognised from the start of the file (comma, semicolon, tab or bar). */
  readonly delimiter?: string;
}

/**
 * Reads a CSV file (UTF-8, a header in its first row) as a stream. With `numeric` or `text` only those columns are
 * kept; without both, all are, and a column is numeric when each of its cells is.
 *
 * Rows are counted as in the file: the header is row 1.
 *
 * @throws ERR_FILE when the file cannot be read; ERR_DATA, naming row and column, for an empty file, a column that is
 * not there, a row with more or fewer cells than the header, and an empty or non-numeric cell in a numeric column.
 */
export async function readCsv(path: string, options: CsvOptions = {}): Promise<Table> {
  checkString(path, 'path');
  checkOptions(options, 'options', ['numeric', 'gaps', 'text', 'delimiter']);
  const builder = new TableBuilder(path, options);
  await parse(path, options.delimiter, builder);
  return builder.finish();
}

/** A column as numbers. @throws ERR_DATA when it is not there or a cell is not a number. */
export function numericColumn(table: Table, name: string): Float64Array {
  const column = table.columns.get(name);
  if (column === undefined) throw unknownColumn(table.source, name, table.columns.keys());
  if (column instanceof Float64Array) return column;
  return Float64Array.from(column, (cell, i) => toNumber(cell, table.source, i + (table.firstRow ?? 2), name));
}

/** Several numeric columns side by side: [rows, names], row-major. */
export function numericRows(table: Table, names: readonly string[]): Float64Array {
  const out = new Float64Array(table.rows * names.length);
  names.forEach((name, feature) => {
    numericColumn(table, name).forEach((value, row) => {
      out[row * names.length + feature] = value;
    });
  });
  return out;
}

function unknownColumn(source: string, name: string, known: Iterable<string>): CudnnGruError {
  const names = [...known];
  const listed = names.slice(0, 20).map(quote).join(', ') + (names.length > 20 ? ', …' : '');
  return new CudnnGruError('ERR_DATA', `${source} has no column ${quote(name)}${hint(name, names)}; it has ${listed}`);
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

// NaN when the cell is no finite decimal number; Number() alone would accept '', '0x1f' and 'Infinity'.
function parseNumber(cell: string): number {
  const text = cell.trim();
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : Number.NaN;
}

function toNumber(cell: string, source: string, row: number, column: string): number {
  const value = parseNumber(cell);
  if (!Number.isNaN(value)) return value;
  const reason = cell.trim() === '' ? 'the cell is empty' : `expected a number, got ${quote(cell)}`;
  throw new CudnnGruError('ERR_DATA', `${source}, row ${row}, column ${quote(column)}: ${reason}`);
}

// Takes rows of cells as they come and keeps the wanted columns.
class TableBuilder {
  readonly #source: string;
  readonly #options: CsvOptions;
  #header: string[] | undefined;
  #columns: { name: string; index: number; cells: string[] | NumberList }[] = [];
  #fileRow = 0;
  #emptyRow = 0;
  #rows = 0;

  constructor(source: string, options: CsvOptions) {
    this.#source = source;
    this.#options = options;
  }

  add(cells: readonly string[]): void {
    this.#fileRow += 1;
    if (this.#header === undefined) {
      this.#readHeader(cells);
      return;
    }
    if (cells.length === 1 && cells[0]?.trim() === '') {
      this.#emptyRow ||= this.#fileRow;
      return; // fine when nothing but empty rows follow
    }
    if (this.#emptyRow > 0) this.#refuse(this.#emptyRow, 'the row is empty');
    if (cells.length !== this.#header.length) {
      this.#refuse(this.#fileRow, `${cells.length} cells, but the header has ${this.#header.length}`);
    }
    for (const { name, index, cells: kept } of this.#columns) {
      const cell = cells[index] as string;
      const isGap = cell.trim() === '' && this.#options.gaps?.includes(name);
      if (kept instanceof NumberList) kept.push(isGap ? Number.NaN : toNumber(cell, this.#source, this.#fileRow, name));
      else kept.push(cell);
    }
    this.#rows += 1;
  }

  /** The row that is read next, for messages. */
  get nextRow(): number {
    return this.#fileRow + 1;
  }

  #refuse(row: number, reason: string): never {
    throw new CudnnGruError('ERR_DATA', `${this.#source}, row ${row}: ${reason}`);
  }

  #readHeader(cells: readonly string[]): void {
    const header = cells.map((cell) => cell.trim());
    if (header.every((name) => name === '')) this.#refuse(1, 'the header is empty');
    if (header.some((name) => name.includes('\0'))) this.#refuse(1, 'this is not UTF-8 text');
    const twice = header.find((name, index) => header.indexOf(name) !== index);
    if (twice !== undefined) this.#refuse(1, `the header names ${quote(twice)} twice`);
    this.#header = header;
    const { numeric, text } = this.#options;
    for (const name of [...(numeric ?? []), ...(text ?? [])]) {
      if (!header.includes(name)) throw unknownColumn(this.#source, name, header);
    }
    header.forEach((name, index) => {
      if (numeric?.includes(name)) this.#columns.push({ name, index, cells: new NumberList() });
      else if (text?.includes(name) || (numeric ?? text) === undefined) this.#columns.push({ name, index, cells: [] });
    });
  }

  finish(): Table {
    if (this.#header === undefined) throw new CudnnGruError('ERR_DATA', `${this.#source} is empty`);
    if (this.#rows === 0) throw new CudnnGruError('ERR_DATA', `${this.#source} has a header but no rows`);
    const infer = (this.#options.numeric ?? this.#options.text) === undefined;
    const columns = new Map<string, Float64Array | readonly string[]>();
    for (const { name, cells } of this.#columns) {
      if (cells instanceof NumberList) columns.set(name, cells.finish());
      else columns.set(name, (infer && allNumbers(cells)) || cells);
    }
    return { source: this.#source, rows: this.#rows, columns };
  }
}

function allNumbers(cells: readonly string[]): Float64Array | undefined {
  const values = new Float64Array(cells.length);
  for (let i = 0; i < cells.length; i++) {
    const value = parseNumber(cells[i] as string);
    if (Number.isNaN(value)) return undefined;
    values[i] = value;
  }
  return values;
}

// Float64 values of a number that is not known before.
class NumberList {
  #values = new Float64Array(1024);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  finish(): Float64Array {
    return this.#values.slice(0, this.#length);
  }
}

// The separator that occurs most in the header, quoted names left out; a comma when none does.
function guessDelimiter(start: string): string {
  const header = start.replace(/"[^"]*"/g, '').split(/[\r\n]/, 1)[0] as string;
  const candidates = [',', ';', '\t', '|'].map((text) => ({ text, count: header.split(text).length }));
  return candidates.reduce((best, candidate) => (candidate.count > best.count ? candidate : best)).text;
}

const BYTES_PER_READ = 1 << 20;

// Feeds the builder row by row; stops reading at the first error.
async function parse(path: string, delimiter: string | undefined, builder: TableBuilder): Promise<void> {
  const { default: Papa } = await import('papaparse');
  const { file } = await openForReading(path);
  const stream = file.createReadStream({ encoding: 'utf8', highWaterMark: BYTES_PER_READ });
  try {
    await new Promise<void>((resolve, reject) => {
      stream.once('error', reject);
      Papa.parse<string[]>(stream, {
        delimiter: delimiter ?? guessDelimiter,
        beforeFirstChunk: (chunk) => (chunk.startsWith('\ufeff') ? chunk.slice(1) : chunk),
        chunk: (results, parser) => {
          try {
            const first = builder.nextRow;
            const fault = results.errors.find(({ type }) => type === 'Quotes');
            const sound = fault?.row ?? results.data.length;
            for (const row of results.data.slice(0, sound)) builder.add(row);
            if (fault !== undefined) {
              throw new CudnnGruError(
                'ERR_DATA',
                `${path}, row ${first + sound}: a quoted cell is not closed properly`,
              );
            }
          } catch (error) {
            reject(error); // before abort(), which calls complete()
            parser.abort();
          }
        },
        complete: () => resolve(),
        error: reject,
      });
    });
  } catch (error) {
    throw fileError(error, 'read', path);
  } finally {
    stream.destroy();
    await file.close().catch(() => undefined);
  }
}

const ROWS_PER_WRITE = 4096;

/**
 * Writes columns of equal length, in the order of the map, under a header. Float32Array values get the fewest digits that
 * give the same float32 again; NaN is an empty cell. The file appears under its name only when it is complete.
 */
export async function writeCsv(
  path: string,
  columns: ReadonlyMap<string, ArrayLike<number> | ArrayLike<string>>,
): Promise<void> {
  const first = [...columns.values()][0];
  if (first === undefined) throw wrongKind('columns', 'at least one column', columns);
  for (const [name, values] of columns) {
    if (values.length !== first.length)
      throw wrongRange(`columns[${quote(name)}]`, `${first.length} values, like the first column`, values);
  }
  const { default: Papa } = await import('papaparse');
  const lines = (rows: string[][]) => `${Papa.unparse(rows, { newline: '\n' })}\n`;
  await writeFileAtomically(path, async (file) => {
    await writeText(file, lines([[...columns.keys()]]));
    for (let start = 0; start < first.length; start += ROWS_PER_WRITE) {
      const count = Math.min(ROWS_PER_WRITE, first.length - start);
      const cellsOf = (row: number) => Array.from(columns.values(), (values) => toCell(values, row));
      await writeText(file, lines(Array.from({ length: count }, (_, i) => cellsOf(start + i))));
    }
  });
}

async function writeText(file: FileHandle, text: string): Promise<void> {
  await file.appendFile(text);
}

function toCell(values: ArrayLike<number> | ArrayLike<string>, row: number): string {
  const value = values[row];
  if (typeof value !== 'number') return String(value);
  if (Number.isNaN(value)) return '';
  return values instanceof Float32Array ? shortestFloat32(value) : String(value);
}

function shortestFloat32(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return String(rounded);
  }
  return String(Number(value.toPrecision(9)));
}
