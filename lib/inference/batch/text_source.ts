import type { FileHandle } from 'node:fs/promises';
import { CudnnGruError } from '../../errors.js';
import { fileError, openForReading } from '../../formats/files.js';
import type { RowValues } from './row_values.js';
import type { RowSource, SourceItem, SourcePosition } from './source.js';
import { Turns } from './turns.js';

const chunkBytes = 256 << 10;
const longestLine = 64 << 20;
const newline = 10;

/** A text file with a row in each line that is not empty. */
export class TextSource implements RowSource {
  readonly size: number;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #parse: (line: string) => RowValues;
  /** Where the first row begins. */
  readonly #start: number;

  private constructor(path: string, file: FileHandle, size: number, start: number, parse: (line: string) => RowValues) {
    this.#path = path;
    this.#file = file;
    this.size = size;
    this.#start = start;
    this.#parse = parse;
  }

  /** @param parse what is in a line. @param header whether the first line is none; its text goes to `onHeader` */
  static async open(
    path: string,
    parse: (line: string) => RowValues,
    onHeader?: (header: string) => void,
  ): Promise<TextSource> {
    const { file, size } = await openForReading(path);
    if (!onHeader) return new TextSource(path, file, size, 0, parse);
    try {
      const whole = new TextSource(path, file, size, 0, parse);
      for await (const { text, end } of whole.#lines(0)) {
        onHeader(text);
        return new TextSource(path, file, size, end, parse);
      }
      throw new CudnnGruError('ERR_DATA', `${path} is empty`);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async countRows(): Promise<number> {
    let rows = 0;
    for await (const _ of this.#lines(this.#start)) rows++;
    return rows;
  }

  async *read(from: SourcePosition = { rows: 0, end: 0 }, rows = Number.POSITIVE_INFINITY): AsyncGenerator<SourceItem> {
    // Without a byte to begin at, the lines before have to be passed.
    const skipped = from.end > 0 ? 0 : from.rows;
    let row = from.end > 0 ? from.rows : 0;
    const turns = new Turns();
    for await (const { text, end } of this.#lines(from.end > 0 ? from.end : this.#start)) {
      if (++row <= skipped) continue;
      if (row > from.rows + rows) return;
      const values = this.#parse(text);
      yield 'reason' in values ? { row, reason: values.reason, end } : { row, count: 1, ...values, end };
      if (turns.due) await turns.next();
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async *#lines(from: number): AsyncGenerator<{ text: string; end: number }> {
    let rest = Buffer.alloc(0);
    for (let position = from; position < this.size || rest.length > 0; ) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, this.size - position));
      const bytesRead = chunk.length > 0 ? await this.#readInto(chunk, position) : 0;
      position += bytesRead;
      const isLast = bytesRead === 0 || position >= this.size;
      const bytes =
        rest.length > 0 ? Buffer.concat([rest, chunk.subarray(0, bytesRead)]) : chunk.subarray(0, bytesRead);
      const start = position - bytes.length;
      let at = 0;
      while (at < bytes.length) {
        const found = bytes.indexOf(newline, at);
        if (found < 0 && !isLast) break;
        const next = found < 0 ? bytes.length : found + 1;
        const text = bytes.toString('utf8', at, next).trim();
        at = next;
        if (text !== '') yield { text, end: start + next };
      }
      rest = bytes.subarray(at);
      if (rest.length > longestLine) {
        throw new CudnnGruError('ERR_DATA', `${this.#path}: a line is longer than ${longestLine} bytes`);
      }
      if (isLast) return;
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
