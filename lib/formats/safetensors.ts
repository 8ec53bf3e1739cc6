import { describe, quote, wrongKind, wrongRange } from '../arguments.js';
import { FileSource, naming, readBytes, readElements } from './byte_source.js';
import { BITS, type ElementType } from './element_types.js';
import { writeBytes, writeFileAtomically } from './files.js';
import {
  type Header,
  MAX_HEADER_BYTES,
  METADATA_KEY,
  nameProblem,
  parseHeader,
  parseHeaderLength,
  type TensorEntry,
} from './safetensors_header.js';

/** A safetensors file, open for reading. Only the tensors asked for are read. */
export class SafetensorsFile {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** By name, in the order of the header. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly #source: FileSource;

  constructor(source: FileSource, header: Header) {
    this.path = source.path;
    this.#source = source;
    this.metadata = header.metadata;
    this.entries = header.entries;
  }

  /**
   * The elements of one tensor, row-major. F32, F64, F16 and BF16 become float32; I32 and the other integers and BOOL
   * become int32.
   *
   * @throws RangeError for a name that is not in `entries`; ERR_UNSUPPORTED for an element type that this library does
   * not read or an integer that does not fit into int32; ERR_FILE when reading fails; ERR_DISPOSED after `close()`.
   */
  async read(name: string): Promise<Float32Array | Int32Array> {
    const entry = this.entries.get(name);
    if (entry === undefined) throw wrongRange('name', `a tensor of ${this.path}`, name);
    const count = (entry.byteLength * 8) / BITS[entry.dtype];
    return readElements(this.#source, { type: entry.dtype, position: entry.position, count }, name);
  }

  async close(): Promise<void> {
    await this.#source.close();
  }
}

/**
 * Opens a safetensors file and checks its whole header against the file's size.
 *
 * @throws ERR_FILE when it cannot be opened; ERR_FORMAT when it is truncated, oversized or inconsistent.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const source = await FileSource.open(path);
  try {
    return await naming(path, async () => {
      const length = parseHeaderLength(await readBytes(source, 0, Math.min(8, source.size)), source.size);
      return new SafetensorsFile(source, parseHeader(await readBytes(source, 8, length), source.size));
    });
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** A tensor to write: F32 from a Float32Array, I32 from an Int32Array. */
export interface TensorData {
  readonly data: Float32Array | Int32Array;
  readonly shape: readonly number[];
}

/**
 * Writes a safetensors file through a temporary name (see `writeFileAtomically`). The order is the reference
 * implementation's: larger and, at equal size, floating-point element types first, then by name; the same contents give the same bytes.
 *
 * @throws TypeError or RangeError for data that does not fill its shape or a name that cannot be; ERR_FILE when writing fails.
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, TensorData>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const sorted = Object.entries(tensors).sort(([nameA, a], [nameB, b]) => {
    const rank = Number(a.data instanceof Int32Array) - Number(b.data instanceof Int32Array);
    return rank || Buffer.compare(Buffer.from(nameA), Buffer.from(nameB));
  });
  const header = encodeHeader(sorted, metadata);
  await writeFileAtomically(path, async (file) => {
    await writeBytes(file, header);
    for (const [, { data }] of sorted) {
      await writeBytes(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
  });
}

// The length, the JSON, and spaces up to a multiple of 8 so that the data is aligned.
function encodeHeader(
  tensors: readonly [string, TensorData][],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const header: Record<string, unknown> = {};
  const strings = Object.entries(metadata);
  for (const [key, value] of strings) {
    if (typeof value !== 'string') throw wrongKind(`metadata[${quote(key)}]`, 'a string', value);
  }
  if (strings.length > 0) header[METADATA_KEY] = metadata;
  let begin = 0;
  for (const [name, tensor] of tensors) {
    const dtype = checkTensor(name, tensor);
    const end = begin + tensor.data.byteLength;
    header[name] = { dtype, shape: tensor.shape, data_offsets: [begin, end] };
    begin = end;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  if (length > MAX_HEADER_BYTES) throw wrongRange('metadata', `a header of at most ${MAX_HEADER_BYTES} bytes`, length);
  const bytes = new Uint8Array(8 + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  return bytes;
}

function checkTensor(name: string, { data, shape }: TensorData): ElementType {
  const what = `tensors[${quote(name)}]`;
  const problem = nameProblem(name);
  if (problem !== undefined) throw wrongRange('tensors', `names that safetensors allows; this one ${problem}`, name);
  const dtype = data instanceof Float32Array ? 'F32' : data instanceof Int32Array ? 'I32' : undefined;
  if (dtype === undefined) throw wrongKind(`${what}.data`, 'a Float32Array or Int32Array', data);
  if (!Array.isArray(shape)) throw wrongKind(`${what}.shape`, 'an array of integers >= 0', shape);
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  if (!shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0) || size !== data.length) {
    throw wrongRange(`${what}.data`, `one element for each of the shape ${describe([...shape])}`, data);
  }
  return dtype;
}
