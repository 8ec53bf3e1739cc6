import { CudnnGruError } from '../../errors.js';
import { FileSource, naming, readElements } from '../../formats/byte_source.js';
import { BITS } from '../../formats/element_types.js';
import { type NpyHeader, readNpyHeader } from '../../formats/npy/npy.js';
import type { RowChecker } from './row_values.js';
import type { RowSource, SourceItem, SourcePosition } from './source.js';

const chunkBytes = 1 << 20;
const blockRows = 32;

/** A NumPy array whose first axis counts the rows. */
export class NpySource implements RowSource {
  readonly #file: FileSource;
  readonly #header: NpyHeader;
  readonly #checker: RowChecker;

  private constructor(file: FileSource, header: NpyHeader, checker: RowChecker) {
    this.#file = file;
    this.#header = header;
    this.#checker = checker;
  }

  static async open(path: string, checker: RowChecker): Promise<NpySource> {
    const file = await FileSource.open(path);
    try {
      const header = await naming(path, () => readNpyHeader(file));
      const source = new NpySource(file, header, checker);
      const { fortranOrder, shape } = header;
      if (fortranOrder) {
        throw new CudnnGruError(
          'ERR_UNSUPPORTED',
          `${path} lies column by column; write it in C order to be read row by row`,
        );
      }
      if (!checker.fits(shape.slice(1))) {
        throw new CudnnGruError(
          'ERR_DATA',
          `${path} has shape [${shape.join(', ')}]; the model reads rows of ${checker.expected}`,
        );
      }
      if (header.start + (shape[0] as number) * source.#rowBytes !== file.size) {
        throw new CudnnGruError('ERR_FORMAT', `${path}: an array of shape [${shape.join(', ')}] does not fill it`);
      }
      return source;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get size(): number {
    return this.#file.size;
  }

  get #rowCount(): number {
    return this.#header.shape.slice(1).reduce((product, size) => product * size, 1);
  }

  get #rowBytes(): number {
    return (this.#rowCount * BITS[this.#header.type]) / 8;
  }

  async countRows(): Promise<number> {
    return this.#header.shape[0] as number;
  }

  async *read(from: SourcePosition = { rows: 0, end: 0 }, rows = Number.POSITIVE_INFINITY): AsyncGenerator<SourceItem> {
    const { shape, start } = this.#header;
    const last = Math.min(shape[0] as number, from.rows + rows);
    const chunkRows = Math.max(1, Math.floor(chunkBytes / this.#rowBytes));
    const width = this.#rowCount;
    const chunk = (first: number) => this.#readRows(first, Math.min(chunkRows, last - first));
    let next = from.rows < last ? chunk(from.rows) : undefined;
    for (let first = from.rows; first < last; first += chunkRows) {
      const elements = (await next) as Awaited<ReturnType<typeof readElements>>;
      const count = elements.length / width;
      // The disk reads on while these are computed.
      next = first + count < last ? chunk(first + count) : undefined;
      next?.catch(() => undefined); // answered when it is awaited
      const values = this.#checker.converted(elements);
      const end = (row: number) => start + row * this.#rowBytes;
      for (let row = 0; row < count; ) {
        const fault = (i: number) => this.#checker.fault(values.subarray(i * width, (i + 1) * width));
        const bad = fault(row);
        if (bad !== undefined) {
          row++;
          yield { row: first + row, reason: bad, end: end(first + row) };
          continue;
        }
        let good = 1;
        while (good < blockRows && row + good < count && fault(row + good) === undefined) good++;
        const block = values.subarray(row * width, (row + good) * width);
        yield { row: first + row + 1, count: good, shape: shape.slice(1), data: block, end: end(first + row + good) };
        row += good;
      }
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #readRows(first: number, rows: number) {
    const { type, bigEndian, start } = this.#header;
    const range = { type, bigEndian, position: start + first * this.#rowBytes, count: rows * this.#rowCount };
    return readElements(this.#file, range, this.#file.path);
  }
}
