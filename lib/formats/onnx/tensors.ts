import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, sep } from 'node:path';
import { quote } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import { elementCount } from '../../tensor/tensor.js';
import { type ByteSource, FileSource, MemorySource, readBytes, readElements } from '../byte_source.js';
import { BITS, type ElementType } from '../element_types.js';
import { fileError } from '../files.js';
import { type HostArray, hostArray } from './host_array.js';
import type { TensorProto } from './schema.js';
import { hostTypeOf } from './shape_operators.js';

/** Element types by `TensorProto.DataType`. */
const elementTypes: Readonly<Record<number, ElementType>> = {
  1: 'F32',
  2: 'U8',
  3: 'I8',
  4: 'U16',
  5: 'I16',
  6: 'I32',
  7: 'I64',
  9: 'BOOL',
  10: 'F16',
  11: 'F64',
  12: 'U32',
  13: 'U64',
  16: 'BF16',
};

// Integers are sizes, indices and lengths: the weights of a model are floats.
const mostIntegers = 1 << 20;
const mostOverlap = 8 << 20;
const mostAtOnce = 1 << 16;

function malformed(name: string, reason: string): CudnnGruError {
  return new CudnnGruError('ERR_FORMAT', `not a valid ONNX file: tensor ${quote(name)} ${reason}`);
}

/** The dimensions of a tensor. */
export function shapeOfTensor(tensor: TensorProto): number[] {
  if (tensor.dims.every((d) => Number.isSafeInteger(d) && d >= 0) && Number.isSafeInteger(elementCount(tensor.dims))) {
    return tensor.dims;
  }
  throw malformed(tensor.name ?? '', `has no valid shape`);
}

/** Reads the numbers of an ONNX file's tensors, which may lie in other files of the model's own folder. */
export class TensorReader {
  readonly #path: string;
  readonly #files = new Map<string, FileSource>();
  // Bytes that tensors were read from, by file.
  readonly #taken = new Map<FileSource, number>();

  /** @param path of the model */
  constructor(path: string) {
    this.#path = path;
  }

  /** @throws CudnnGruError `ERR_FORMAT`, `ERR_UNSUPPORTED` for an element type that is not read, `ERR_FILE` */
  async read(tensor: TensorProto): Promise<HostArray> {
    const name = tensor.name ?? '';
    const type = hostTypeOf(tensor.data_type);
    const element = elementTypes[tensor.data_type ?? 0];
    if (type === undefined || element === undefined || tensor.segment) {
      throw new CudnnGruError(
        'ERR_UNSUPPORTED',
        `tensor ${quote(name)}: elements of the ONNX type ${tensor.data_type} are not supported`,
      );
    }
    const shape = shapeOfTensor(tensor);
    const count = elementCount(shape);
    if (type !== 'float' && count > mostIntegers) {
      throw new CudnnGruError(
        'ERR_UNSUPPORTED',
        `tensor ${quote(name)}: ${count} integers among the graph's constants`,
      );
    }
    const integers = tensor.int64_data.length > 0 ? tensor.int64_data : tensor.int32_data;
    if (integers.length > 0) {
      if (integers.length !== count) throw malformed(name, `has ${integers.length} numbers for shape [${shape}]`);
      if (type !== 'float') return hostArray(type, shape, integers);
      // 16-bit floats are given as their bits.
      const words = new MemorySource(new Uint8Array(Uint16Array.from(integers).buffer));
      return hostArray(type, shape, await readElements(words, { type: element, position: 0, count }, name));
    }
    const { source, position } = await this.#place(tensor, name, (count * BITS[element]) / 8);
    return hostArray(type, shape, await numbersAt(source, position, element, count, name));
  }

  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
  }

  async #place(tensor: TensorProto, name: string, length: number): Promise<{ source: ByteSource; position: number }> {
    if (tensor.data_location === 1) return this.#external(tensor, name, length);
    const parts = [tensor.raw_data, ...tensor.float_data, ...tensor.double_data].filter((part) => part !== undefined);
    const bytes = parts.reduce((sum, part) => sum + part.size, 0);
    if (bytes === length)
      return { source: parts.length === 1 ? (parts[0] as ByteSource) : await joined(parts), position: 0 };
    throw malformed(name, `has ${bytes} bytes for shape [${tensor.dims}], which needs ${length}`);
  }

  async #external(
    tensor: TensorProto,
    name: string,
    length: number,
  ): Promise<{ source: ByteSource; position: number }> {
    const entries = new Map(tensor.external_data.map(({ key, value }) => [key, value]));
    const source = await this.#open(entries.get('location') ?? '', name);
    const position = wholeNumber(entries.get('offset') ?? '0');
    const claimed = wholeNumber(entries.get('length') ?? String(length));
    if (claimed === length && position + length <= source.size) {
      this.#take(source, length);
      return { source, position };
    }
    throw malformed(
      name,
      `claims ${claimed} bytes from ${position} on of ${source.path}, which has ${source.size}; it needs ${length}`,
    );
  }

  // Tensors may overlap: without a limit, a small file could ask for any amount of memory.
  #take(source: FileSource, bytes: number): void {
    const taken = (this.#taken.get(source) ?? 0) + bytes;
    this.#taken.set(source, taken);
    if (taken > source.size + mostOverlap) {
      throw new CudnnGruError('ERR_FORMAT', `not a valid ONNX file: its tensors overlap in ${source.path}`);
    }
  }

  // Nothing but files of the model's folder is opened, whatever the name says and wherever a link leads.
  async #open(location: string, name: string): Promise<FileSource> {
    const folder = dirname(this.#path);
    const path = join(folder, location);
    const parts = location.split(/[\\/]/);
    if (location === '' || isAbsolute(location) || parts.includes('..') || location.includes('\0')) {
      throw malformed(name, `names its data outside of the model's folder: ${quote(location)}`);
    }
    const opened = this.#files.get(location);
    if (opened) return opened;
    try {
      if (!(await realpath(path)).startsWith((await realpath(folder)).replace(/[\\/]$/, '') + sep)) {
        throw malformed(name, `names its data by a link out of the model's folder: ${quote(location)}`);
      }
    } catch (error) {
      throw fileError(error, 'read', path);
    }
    const file = await FileSource.open(path);
    this.#files.set(location, file);
    return file;
  }
}

function wholeNumber(text: string): number {
  return /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
}

// Integers of 32 unsigned or 64 bits keep every value that a size or an index can have.
const wide: Partial<Record<ElementType, (bytes: DataView, index: number) => number>> = {
  U32: (bytes, index) => bytes.getUint32(4 * index, true),
  I64: (bytes, index) => Number(bytes.getBigInt64(8 * index, true)),
  U64: (bytes, index) => Number(bytes.getBigUint64(8 * index, true)),
};

async function numbersAt(
  source: ByteSource,
  position: number,
  type: ElementType,
  count: number,
  name: string,
): Promise<ArrayLike<number>> {
  const at = wide[type];
  if (!at) return readElements(source, { type, position, count }, name);
  const size = BITS[type] / 8;
  const out = new Float64Array(count);
  for (let start = 0; start < count; start += mostAtOnce) {
    const length = Math.min(mostAtOnce, count - start);
    const bytes = await readBytes(source, position + start * size, length * size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let index = 0; index < length; index++) out[start + index] = at(view, index);
  }
  return out;
}

async function joined(parts: readonly ByteSource[]): Promise<ByteSource> {
  const bytes = new Uint8Array(parts.reduce((sum, { size }) => sum + size, 0));
  let position = 0;
  for (const part of parts) {
    await part.read(bytes.subarray(position, position + part.size), 0);
    position += part.size;
  }
  return new MemorySource(bytes);
}
