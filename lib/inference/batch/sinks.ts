import type { HostArray } from '../../data/types.js';
import { CudnnGruError } from '../../errors.js';
import { npyHeader } from '../../formats/npy/npy.js';
import type { TensorSpec } from '../signature.js';

/** Computed rows that follow each other. */
export interface OutputRows {
  /** The number of the first one, counted from 1. */
  readonly row: number;
  readonly count: number;
  /** [count, ...] each, of the outputs asked for. */
  readonly outputs: readonly HostArray[];
}

/** How computed rows become bytes of a file. */
export interface RowFormat {
  /** The bytes that can be written after these rows; a format may keep rows back. */
  rows(rows: OutputRows): Awaitable<Uint8Array>;
  /** The bytes of all rows kept back, and what another process needs to go on behind them. */
  flush(): Awaitable<Flushed>;
  /** The last bytes, behind those of `flush`. */
  end(): Awaitable<Uint8Array>;
  /** What the start of the file becomes when all is written; undefined: what it was. */
  finalStart(rows: number): Uint8Array | undefined;
  close?(): Promise<void>;
}

type Awaitable<T> = T | Promise<T>;

/** @internal */
export interface Flushed {
  readonly bytes: Uint8Array;
  readonly state: RowFormatState;
}

/** What a format has to know of the rows before, as JSON; null: there are none. */
export type RowFormatState = { readonly [name: string]: unknown } | null;

export type OutputKind = 'npy' | 'csv' | 'jsonl' | 'parquet';

/** @internal Of a file, and where one goes on that an earlier process began: behind so many bytes. */
export interface FormatSettings {
  readonly kind: OutputKind;
  readonly specs: readonly TensorSpec[];
  readonly path: string;
  readonly state: RowFormatState;
  readonly bytes: number;
}

const nothing = new Uint8Array(0);

// Rows that must all have the shape of the first.
abstract class Uniform implements RowFormat {
  protected shape: readonly number[] | null;
  protected readonly spec: TensorSpec;
  readonly #path: string;

  constructor({ specs, path, state }: FormatSettings) {
    this.spec = specs[0] as TensorSpec;
    this.#path = path;
    this.shape = (state?.shape ?? null) as typeof this.shape;
  }

  /** Before the first row. @param shape of a row */
  protected abstract start(shape: readonly number[]): Uint8Array;
  protected abstract body(rows: OutputRows, output: HostArray): Uint8Array;
  abstract finalStart(rows: number): Uint8Array | undefined;

  rows(rows: OutputRows): Uint8Array {
    const [output] = rows.outputs as readonly [HostArray];
    const own = output.shape.slice(1);
    if (this.shape === null) {
      this.shape = own;
      return Buffer.concat([this.start(own), this.body(rows, output)]);
    }
    if (String(own) !== String(this.shape)) {
      throw new CudnnGruError(
        'ERR_DATA',
        `${this.#path}, row ${rows.row}: the output ${JSON.stringify(this.spec.name)} has shape [${own}], that of the rows ` +
          `before [${this.shape}]; only .jsonl and .parquet files hold rows of several shapes`,
      );
    }
    return this.body(rows, output);
  }

  flush(): Flushed {
    return { bytes: nothing, state: this.shape && { shape: this.shape } };
  }

  end(): Uint8Array {
    // A file without rows has a start nevertheless.
    if (this.shape !== null) return nothing;
    return this.start(this.spec.shape.slice(1).map((axis) => (typeof axis === 'number' ? axis : 0)));
  }
}

// Room for the number of rows, which is known at the end.
const npyHeaderBytes = 128;

class Npy extends Uniform {
  protected start(shape: readonly number[]): Uint8Array {
    return npyHeader(this.spec.dtype, [0, ...shape], npyHeaderBytes);
  }

  protected body(_: OutputRows, { data }: HostArray): Uint8Array {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }

  finalStart(rows: number): Uint8Array | undefined {
    return this.shape === null ? undefined : npyHeader(this.spec.dtype, [rows, ...this.shape], npyHeaderBytes);
  }
}

class Csv extends Uniform {
  protected start(shape: readonly number[]): Uint8Array {
    const width = shape.reduce((product, size) => product * size, 1);
    const names = Array.from({ length: width }, (_, i) => (width === 1 ? this.spec.name : `${this.spec.name}_${i}`));
    return Buffer.from(`${['row', ...names].join(',')}\n`);
  }

  protected body({ row, count }: OutputRows, { data }: HostArray): Uint8Array {
    const width = data.length / count;
    let text = '';
    for (let i = 0; i < count; i++) text += `${row + i},${data.subarray(i * width, (i + 1) * width).join(',')}\n`;
    return Buffer.from(text);
  }

  finalStart(): undefined {}
}

class JsonLines implements RowFormat {
  readonly #specs: readonly TensorSpec[];

  constructor({ specs }: FormatSettings) {
    this.#specs = specs;
  }

  rows({ row, count, outputs }: OutputRows): Uint8Array {
    let text = '';
    for (let i = 0; i < count; i++) {
      const values = this.#specs.map(({ name }, output) => {
        const { data, shape } = outputs[output] as HostArray;
        const width = data.length / count;
        return `${JSON.stringify(name)}:${nested(data.subarray(i * width, (i + 1) * width), shape.slice(1))}`;
      });
      text += `{"row":${row + i},${values.join(',')}}\n`;
    }
    return Buffer.from(text);
  }

  flush(): Flushed {
    return { bytes: nothing, state: null };
  }

  end(): Uint8Array {
    return nothing;
  }

  finalStart(): undefined {}
}

// JSON holds no NaN and no infinity.
function nested(data: HostArray['data'], shape: readonly number[]): string {
  if (shape.length === 0) return Number.isFinite(data[0]) ? String(data[0]) : 'null';
  if (shape.length === 1) return JSON.stringify(Array.from(data));
  const [size, ...rest] = shape as [number, ...number[]];
  const width = data.length / size;
  return `[${Array.from({ length: size }, (_, i) => nested(data.subarray(i * width, (i + 1) * width), rest)).join(',')}]`;
}

/** @internal The format itself; `RemoteFormat` has one in a thread. */
export async function rowFormat(settings: FormatSettings): Promise<RowFormat> {
  if (settings.kind === 'npy') return new Npy(settings);
  if (settings.kind === 'csv') return new Csv(settings);
  if (settings.kind === 'jsonl') return new JsonLines(settings);
  const { openParquetFormat } = await import('./parquet_format.js');
  return openParquetFormat(settings);
}
