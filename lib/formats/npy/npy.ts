import { checkString, quote, wrongKind, wrongRange } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import { type DType, Tensor, type TensorData } from '../../tensor/tensor.js';
import { type ByteSource, type ElementRange, FileSource, naming, readBytes, readElements } from '../byte_source.js';
import { BITS, type ElementType } from '../element_types.js';
import { writeBytes, writeFileAtomically } from '../files.js';
import { StridedWalk } from '../strided.js';

// NumPy's own files (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): a magic number, a dictionary of Python that
// gives type, order and shape, and the elements.

/** An array on the host, row-major. */
export interface NumpyArray {
  readonly shape: readonly number[];
  readonly data: TensorData;
}

const MAGIC = '\u0093NUMPY';
const MAX_HEADER_BYTES = 1 << 16;
const MAX_RANK = 64;
const ALIGNMENT = 64;
// Elements that are read at once where they have to be laid in another order.
const PIECE = 1 << 18;

const types: Readonly<Record<string, ElementType>> = {
  f2: 'F16',
  f4: 'F32',
  f8: 'F64',
  i1: 'I8',
  i2: 'I16',
  i4: 'I32',
  i8: 'I64',
  u1: 'U8',
  u2: 'U16',
  u4: 'U32',
  u8: 'U64',
  b1: 'BOOL',
};

function malformed(reason: string): CudnnGruError {
  return new CudnnGruError('ERR_FORMAT', `not a NumPy array that can be read: ${reason}`);
}

/**
 * Reads one array from a `.npy` file. Floating-point types become float32, integers and booleans int32; a finite float64 beyond
 * float32 and an integer beyond int32 are errors. Both orders of axes and of bytes are read.
 *
 *     const { data, shape } = await readNpy('x.npy');
 *     const x = tensor(data, shape);
 *
 * @throws TypeError; CudnnGruError `ERR_FILE`, `ERR_FORMAT`, `ERR_OUT_OF_MEMORY`; `ERR_UNSUPPORTED` for arrays of anything but numbers
 */
export async function readNpy(path: string): Promise<NumpyArray> {
  const source = await FileSource.open(checkString(path, 'path'));
  try {
    return await naming(path, () => readArray(source, 'array'));
  } finally {
    await source.close();
  }
}

/**
 * Writes one array as a `.npy` file, float32 or int32; whole or not at all.
 * @throws TypeError, RangeError for data that does not fill its shape; CudnnGruError `ERR_FILE`
 */
export async function writeNpy(path: string, array: Tensor | NumpyArray): Promise<void> {
  checkString(path, 'path');
  const parts = await encodeArray(array, 'array');
  await writeFileAtomically(path, async (file) => {
    for (const part of parts) await writeBytes(file, part);
  });
}

/** @internal The array that a source holds, and nothing behind it. @param maxBytes that it may take in memory */
export async function readArray(
  source: ByteSource,
  name: string,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<NumpyArray> {
  const { descr, type, bigEndian, fortranOrder, shape, start } = await readNpyHeader(source);
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  // A product too large to be exact is larger than every file.
  if (start + (count * BITS[type]) / 8 !== source.size) {
    throw malformed(
      `an array of ${descr}, shape (${shape.join(', ')}), does not fill its ${source.size - start} bytes`,
    );
  }
  if (4 * count > maxBytes)
    throw malformed(`its ${count} elements take more than the ${maxBytes} bytes that are allowed`);
  const range = { type, position: start, count, bigEndian };
  const isColumnMajor = fortranOrder && shape.length > 1 && count > 0;
  const data = await (isColumnMajor ? readColumnMajor(source, range, shape, name) : readElements(source, range, name));
  return { shape, data };
}

// Fortran's order: the first index changes fastest, as the last does in an array of the reversed shape.
async function readColumnMajor(
  source: ByteSource,
  range: ElementRange,
  shape: readonly number[],
  name: string,
): Promise<TensorData> {
  let stride = 1;
  const strides = shape.toReversed().map((dimension) => {
    const own = stride;
    stride *= dimension;
    return own;
  });
  const walk = new StridedWalk(shape.toReversed(), strides);
  let out: TensorData | undefined;
  for (let start = 0; start < range.count; start += PIECE) {
    const position = range.position + (start * BITS[range.type]) / 8;
    const count = Math.min(PIECE, range.count - start);
    const piece = await readElements(source, { ...range, position, count }, name);
    out ??= piece instanceof Float32Array ? new Float32Array(range.count) : new Int32Array(range.count);
    for (const value of piece) {
      out[walk.at] = value;
      walk.step();
    }
  }
  return out as TensorData;
}

/** @internal */
export interface NpyHeader {
  descr: string;
  type: ElementType;
  bigEndian: boolean;
  fortranOrder: boolean;
  shape: number[];
  /** Where the elements begin. */
  start: number;
}

/** @internal @throws CudnnGruError `ERR_FORMAT`, `ERR_UNSUPPORTED` */
export async function readNpyHeader(source: ByteSource): Promise<NpyHeader> {
  const prefix = Buffer.from(await readBytes(source, 0, Math.min(12, source.size)));
  if (prefix.length < 12 || prefix.toString('latin1', 0, 6) !== MAGIC) throw malformed('it does not begin as one');
  const version = prefix[6] as number;
  if (version < 1 || version > 3) throw malformed(`its version is ${version}; 1 to 3 are known`);
  const length = version === 1 ? prefix.readUInt16LE(8) : prefix.readUInt32LE(8);
  if (length > MAX_HEADER_BYTES)
    throw malformed(`it claims a header of ${length} bytes; at most ${MAX_HEADER_BYTES} are read`);
  const begin = version === 1 ? 10 : 12;
  const text = Buffer.from(await readBytes(source, begin, length)).toString(version === 3 ? 'utf8' : 'latin1');
  const dictionary = parseDictionary(text);
  return { ...dictionary, ...elementType(dictionary.descr), start: begin + length };
}

// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
function parseDictionary(text: string): Pick<NpyHeader, 'descr' | 'fortranOrder' | 'shape'> {
  const inside = /^\{(.*)\}\s*$/s.exec(text)?.[1];
  if (inside === undefined) throw malformed('its header is no dictionary');
  const entry = /\s*'(\w+)'\s*:\s*('[^']*'|True|False|\([\d\s,]*\)|\[.*\])\s*(?:,|$)/sy;
  const found = new Map<string, string>();
  while (!/^\s*$/.test(inside.slice(entry.lastIndex))) {
    const match = entry.exec(inside);
    if (!match) throw malformed('its header cannot be understood');
    const [, key, value] = match as unknown as [string, string, string];
    if (found.has(key)) throw malformed(`its header names ${quote(key)} twice`);
    found.set(key, value);
  }
  const descr = found.get('descr');
  const order = found.get('fortran_order');
  const shape = found.get('shape');
  if (found.size !== 3 || descr === undefined || (order !== 'True' && order !== 'False') || !shape?.startsWith('(')) {
    throw malformed('its header does not give descr, fortran_order and shape');
  }
  const items = shape.slice(1, -1).split(',');
  if (items.at(-1)?.trim() === '') items.pop();
  const dimensions = items.map(Number);
  if (dimensions.length > MAX_RANK || !items.every((item) => /^\s*\d+\s*$/.test(item))) {
    throw malformed(`its shape ${quote(shape)} is none`);
  }
  if (!dimensions.every(Number.isSafeInteger)) throw malformed(`its shape ${quote(shape)} is too large`);
  return { descr: descr.replace(/^'|'$/g, ''), fortranOrder: order === 'True', shape: dimensions };
}

function elementType(descr: string): { type: ElementType; bigEndian: boolean } {
  const [, order, kind] = /^([<>|])(\w+)$/.exec(descr) ?? [];
  const type = kind === undefined ? undefined : types[kind];
  if (type !== undefined && (order !== '|' || BITS[type] === 8)) return { type, bigEndian: order === '>' };
  const why = kind?.startsWith('O')
    ? 'Python objects, which only running a pickle could read'
    : `elements of ${quote(descr)}`;
  throw new CudnnGruError('ERR_UNSUPPORTED', `it holds ${why}; numbers and booleans are read`);
}

/** @internal The file of an array, in two parts. */
export async function encodeArray(array: Tensor | NumpyArray, name: string): Promise<[Uint8Array, Uint8Array]> {
  const { shape, data } = array instanceof Tensor ? { shape: array.shape, data: await array.data() } : (array ?? {});
  const isNumbers = data instanceof Float32Array || data instanceof Int32Array;
  if (!isNumbers || !Array.isArray(shape)) {
    throw wrongKind(name, 'a Tensor, or { shape, data: Float32Array or Int32Array }', array);
  }
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  if (!shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0) || count !== data.length) {
    throw wrongRange(`${name}.data`, `one element for each of the shape [${shape.join(', ')}]`, data);
  }
  const header = npyHeader(data instanceof Float32Array ? 'float32' : 'int32', shape);
  return [header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
}

/** @internal @param least bytes that it takes at least: room for a larger shape later on */
export function npyHeader(dtype: DType, shape: readonly number[], least = 0): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${dtype === 'float32' ? '<f4' : '<i4'}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil(Math.max(least, 10 + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const header = Buffer.alloc(length, ' ');
  header.write(`${MAGIC}\u0001\u0000`, 0, 'latin1');
  header.writeUInt16LE(length - 10, 8);
  header.write(text, 10, 'latin1');
  header.write('\n', length - 1, 'latin1');
  return header;
}
