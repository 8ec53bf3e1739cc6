import type { FileHandle } from 'node:fs/promises';
import { CudnnGruError } from '../../errors.js';
import { fileError, openForReading } from '../../formats/files.js';
import { blocksOf, type NumberedRow } from './blocks.js';
import type { RowChecker, RowValues } from './row_values.js';
import type { RowSource, SourceItem, SourcePosition } from './source.js';

const chunkBytes = 256 << 10;
const longestLine = 64 << 20;
const newline = 10;
const carriageReturn = 13;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** What is in a line: `bytes` from `start` to `end`. */
export type ParseLine = (bytes: Buffer, start: number, end: number) => RowValues;

interface Line {
  readonly start: number;
  readonly end: number;
  /** Where the next line begins. */
  readonly next: number;
}

/** A text file with a row in each line that is not empty. */
export class TextSource implements RowSource {
  readonly size: number;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #checker: RowChecker;
  readonly #parse: ParseLine;
  /** Where the first row begins. */
  #start = 0;

  private constructor(path: string, file: FileHandle, size: number, checker: RowChecker, parse: ParseLine) {
    this.#path = path;
    this.#file = file;
    this.size = size;
    this.#checker = checker;
    this.#parse = parse;
  }

  /** @param onHeader gets the first line, which is then no row */
  static async open(
    path: string,
    checker: RowChecker,
    parse: ParseLine,
    onHeader?: (header: string) => void,
  ): Promise<TextSource> {
    const { file, size } = await openForReading(path);
    const source = new TextSource(path, file, size, checker, parse);
    try {
      const mark = Buffer.alloc(byteOrderMark.length);
      if ((await source.#readInto(mark, 0)) === mark.length && mark.equals(byteOrderMark)) source.#start = mark.length;
      if (onHeader) await source.#takeHeader(onHeader);
      return source;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async countRows(): Promise<number> {
    let rows = 0;
    for await (const { bytes } of this.#chunks(this.#start)) for (const _ of linesOf(bytes)) rows++;
    return rows;
  }

  async *read(from: SourcePosition = { rows: 0, end: 0 }, rows = Number.POSITIVE_INFINITY): AsyncGenerator<SourceItem> {
    // Without a byte to begin at, the lines before have to be passed.
    const isKnown = from.end > 0;
    const count = { row: isKnown ? from.rows : 0, skip: from.rows, last: from.rows + rows };
    for await (const { bytes, position } of this.#chunks(isKnown ? from.end : this.#start)) {
      yield* blocksOf(this.#rows(bytes, position, count), this.#checker);
      if (count.row >= count.last) return;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #takeHeader(onHeader: (header: string) => void): Promise<void> {
    for await (const { bytes, position } of this.#chunks(this.#start)) {
      for (const { start, end, next } of linesOf(bytes)) {
        onHeader(bytes.toString('utf8', start, end));
        this.#start = position + next;
        return;
      }
    }
    throw new CudnnGruError('ERR_DATA', `${this.#path} is empty`);
  }

  // The rows behind `skip` up to `last`; `count.row` goes on from the chunk before.
  *#rows(
    bytes: Buffer,
    position: number,
    count: { row: number; readonly skip: number; readonly last: number },
  ): Generator<NumberedRow> {
    for (const { start, end, next } of linesOf(bytes)) {
      if (count.row >= count.last) return;
      if (++count.row > count.skip) yield { ...this.#parse(bytes, start, end), row: count.row, end: position + next };
    }
  }

  // Whole lines, and where in the file they begin.
  async *#chunks(from: number): AsyncGenerator<{ bytes: Buffer; position: number }> {
    let rest: Buffer = Buffer.alloc(0);
    for (let position = from; position < this.size; ) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, this.size - position));
      const bytesRead = await this.#readInto(chunk, position);
      if (bytesRead === 0) throw new CudnnGruError('ERR_DATA', `${this.#path} became shorter while it was read`);
      position += bytesRead;
      const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      const whole = position >= this.size ? bytes.length : bytes.lastIndexOf(newline) + 1;
      if (whole > 0) yield { bytes: bytes.subarray(0, whole), position: position - bytes.length };
      rest = bytes.subarray(whole);
      if (rest.length > longestLine) {
        throw new CudnnGruError('ERR_DATA', `${this.#path}: a line is longer than ${longestLine} bytes`);
      }
    }
  }

  async #readInto(chunk: Buffer, position: number): Promise<number> {
    try {
      return (await this.#file.read(chunk, 0, chunk.length, position)).bytesRead;
    } catch (error) {
      throw fileError(error, 'read', this.#path);
    }
  }
}

function* linesOf(bytes: Buffer): Generator<Line> {
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(newline, start);
    const next = found < 0 ? bytes.length : found + 1;
    let end = found < 0 ? next : found;
    if (end > start && bytes[end - 1] === carriageReturn) end--;
    if (!isBlank(bytes, start, end)) yield { start, end, next };
    start = next;
  }
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] as number) > 32) return false; // spaces and control characters
  return true;
}
