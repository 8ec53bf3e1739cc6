import type { HostArray } from '../../data/types.js';
import { CudnnGruError } from '../../errors.js';
import { npyHeader } from '../../formats/npy/npy.js';
import type { TensorSpec } from '../signature.js';
import type { RowBlock } from './source.js';

/** How computed rows become bytes of a file. */
export interface RowFormat {
  /** Before the first row; `npy` knows it only with that. */
  start(first: HostArray): Uint8Array;
  /** @param outputs [count, ...] each, of the outputs asked for */
  rows(block: RowBlock, outputs: readonly HostArray[]): Uint8Array;
  /** What the start becomes when all rows are written; undefined: what it was. */
  finalStart(rows: number): Uint8Array | undefined;
  /** Goes on with a file that an earlier process began. */
  resume(state: RowFormatState): void;
  state(): RowFormatState;
}

/** What a format has to know of the rows before. */
export interface RowFormatState {
  readonly shape: readonly number[] | null;
}

export type OutputKind = 'npy' | 'csv' | 'jsonl';

export function rowFormat(kind: OutputKind, specs: readonly TensorSpec[], path: string): RowFormat {
  if (kind === 'jsonl') return new JsonLines(specs);
  const [spec] = specs as [TensorSpec];
  return kind === 'npy' ? new Npy(spec, path) : new Csv(spec, path);
}

// Rows that must all have the shape of the first.
abstract class Uniform {
  protected shape: readonly number[] | null = null;
  protected readonly spec: TensorSpec;
  readonly #path: string;

  constructor(spec: TensorSpec, path: string) {
    this.spec = spec;
    this.#path = path;
  }

  state(): RowFormatState {
    return { shape: this.shape };
  }

  resume({ shape }: RowFormatState): void {
    this.shape = shape;
  }

  protected check(block: RowBlock, { shape }: HostArray): void {
    const own = shape.slice(1);
    this.shape ??= own;
    if (String(own) === String(this.shape)) return;
    throw new CudnnGruError(
      'ERR_DATA',
      `${this.#path}, row ${block.row}: the output ${JSON.stringify(this.spec.name)} has shape [${own}], that of the rows before ` +
        `[${this.shape}]; only .jsonl files hold rows of several shapes`,
    );
  }
}

// Room for the number of rows, which is known at the end.
const npyHeaderBytes = 128;

class Npy extends Uniform implements RowFormat {
  start(first: HostArray): Uint8Array {
    return npyHeader(this.spec.dtype, [0, ...first.shape.slice(1)], npyHeaderBytes);
  }

  rows(block: RowBlock, [output]: readonly [HostArray]): Uint8Array {
    this.check(block, output);
    const { data } = output;
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }

  finalStart(rows: number): Uint8Array {
    return npyHeader(this.spec.dtype, [rows, ...(this.shape ?? [0])], npyHeaderBytes);
  }
}

class Csv extends Uniform implements RowFormat {
  start({ shape }: HostArray): Uint8Array {
    const width = shape.slice(1).reduce((product, size) => product * size, 1);
    const names = Array.from({ length: width }, (_, i) => (width === 1 ? this.spec.name : `${this.spec.name}_${i}`));
    return Buffer.from(`${['row', ...names].join(',')}\n`);
  }

  rows(block: RowBlock, [output]: readonly [HostArray]): Uint8Array {
    this.check(block, output);
    const width = output.data.length / block.count;
    let text = '';
    for (let i = 0; i < block.count; i++) {
      text += `${block.row + i},${output.data.subarray(i * width, (i + 1) * width).join(',')}\n`;
    }
    return Buffer.from(text);
  }

  finalStart(): undefined {}
}

class JsonLines implements RowFormat {
  readonly #specs: readonly TensorSpec[];

  constructor(specs: readonly TensorSpec[]) {
    this.#specs = specs;
  }

  start(): Uint8Array {
    return new Uint8Array(0);
  }

  rows(block: RowBlock, outputs: readonly HostArray[]): Uint8Array {
    let text = '';
    for (let i = 0; i < block.count; i++) {
      const values = this.#specs.map(({ name }, output) => {
        const { data, shape } = outputs[output] as HostArray;
        const width = data.length / block.count;
        return `${JSON.stringify(name)}:${nested(data.subarray(i * width, (i + 1) * width), shape.slice(1))}`;
      });
      text += `{"row":${block.row + i},${values.join(',')}}\n`;
    }
    return Buffer.from(text);
  }

  finalStart(): undefined {}
  resume(): void {}
  state(): RowFormatState {
    return { shape: null };
  }
}

// JSON holds no NaN and no infinity.
function nested(data: HostArray['data'], shape: readonly number[]): string {
  if (shape.length === 0) return Number.isFinite(data[0]) ? String(data[0]) : 'null';
  if (shape.length === 1) return JSON.stringify(Array.from(data));
  const [size, ...rest] = shape as [number, ...number[]];
  const width = data.length / size;
  return `[${Array.from({ length: size }, (_, i) => nested(data.subarray(i * width, (i + 1) * width), rest)).join(',')}]`;
}
