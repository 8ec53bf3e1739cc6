import type { FileHandle } from 'node:fs/promises';
import { quote } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import { BITS, convert, type ElementType, targetType } from './element_types.js';
import { fileError, openForReading } from './files.js';

// Bytes read in one call; Node takes at most 2^31 - 1. A converted tensor needs this much beside its result.
const CHUNK = 1 << 22;

/** Bytes that are read by ranges: a file, a member of an archive, or memory. */
export interface ByteSource {
  /** In bytes. */
  readonly size: number;
  /** Fills `bytes` from a position on. @throws CudnnGruError `ERR_FORMAT` where the source ends before, `ERR_FILE` */
  read(bytes: Uint8Array, position: number): Promise<void>;
}

/** @internal */
export function endsBefore(end: number, size: number): CudnnGruError {
  return new CudnnGruError('ERR_FORMAT', `it should go on to byte ${end} and ends at ${size}; is it truncated?`);
}

/** A regular file. Memory-mapping it would kill the process where the file is shortened meanwhile; this is an error. */
export class FileSource implements ByteSource {
  readonly path: string;
  readonly size: number;
  readonly #file: FileHandle;
  #open = true;

  private constructor(path: string, size: number, file: FileHandle) {
    this.path = path;
    this.size = size;
    this.#file = file;
  }

  /** @throws CudnnGruError `ERR_FILE` */
  static async open(path: string): Promise<FileSource> {
    const { file, size } = await openForReading(path);
    return new FileSource(path, size, file);
  }

  async read(bytes: Uint8Array, position: number): Promise<void> {
    if (!this.#open) throw new CudnnGruError('ERR_DISPOSED', `${this.path} was read after close()`);
    if (position + bytes.length > this.size) throw endsBefore(position + bytes.length, this.size);
    let done = 0;
    while (done < bytes.length) {
      let read: number;
      try {
        const length = Math.min(CHUNK, bytes.length - done);
        read = (await this.#file.read(bytes, done, length, position + done)).bytesRead;
      } catch (error) {
        throw fileError(error, 'read', this.path);
      }
      if (read === 0) throw new CudnnGruError('ERR_FORMAT', 'the file became shorter while it was read');
      done += read;
    }
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#file.close();
  }
}

/** A part of another source. */
export class SourceSlice implements ByteSource {
  readonly size: number;
  /** Where in the other source it begins. */
  readonly start: number;
  readonly #whole: ByteSource;

  /** @throws CudnnGruError `ERR_FORMAT` if the source ends before the part */
  constructor(whole: ByteSource, start: number, size: number) {
    if (start + size > whole.size) throw endsBefore(start + size, whole.size);
    this.#whole = whole;
    this.start = start;
    this.size = size;
  }

  read(bytes: Uint8Array, position: number): Promise<void> {
    if (position + bytes.length > this.size) return Promise.reject(endsBefore(position + bytes.length, this.size));
    return this.#whole.read(bytes, this.start + position);
  }
}

/** Bytes in memory. */
export class MemorySource implements ByteSource {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  async read(bytes: Uint8Array, position: number): Promise<void> {
    if (position + bytes.length > this.size) throw endsBefore(position + bytes.length, this.size);
    bytes.set(this.#bytes.subarray(position, position + bytes.length));
  }
}

/** So many bytes from a position on, in memory of their own. */
export async function readBytes(source: ByteSource, position: number, length: number): Promise<Uint8Array> {
  if (position + length > source.size) throw endsBefore(position + length, source.size);
  const bytes = new Uint8Array(length);
  await source.read(bytes, position);
  return bytes;
}

/** Little-endian elements that lie one after another. */
export interface ElementRange {
  readonly type: ElementType;
  /** Byte position of the first. */
  readonly position: number;
  readonly count: number;
  /** Whether the file has the bytes of each element in the other order. Default: false. */
  readonly bigEndian?: boolean;
}

/**
 * Elements as this library computes with them: floating-point types become float32, integers and BOOL int32.
 *
 * @param name the tensor's, for the message
 * @throws CudnnGruError `ERR_UNSUPPORTED` for an element type that this library does not read, or a number that neither type holds
 */
export async function readElements(
  source: ByteSource,
  { type, position, count, bigEndian = false }: ElementRange,
  name: string,
): Promise<Float32Array | Int32Array> {
  const target = targetType(type);
  if (target === undefined) {
    throw new CudnnGruError('ERR_UNSUPPORTED', `tensor ${quote(name)}: elements of type ${type} are not supported`);
  }
  const size = BITS[type] / 8;
  const byteLength = count * size;
  if (position + byteLength > source.size) throw endsBefore(position + byteLength, source.size);
  const out = allocate(target, count, name);
  if ((type === 'F32' || type === 'I32') && !bigEndian) {
    await source.read(new Uint8Array(out.buffer, 0, byteLength), position);
    return out;
  }
  const buffer = new Uint8Array(Math.min(CHUNK, byteLength));
  for (let start = 0; start < byteLength; start += CHUNK) {
    const bytes = buffer.subarray(0, Math.min(CHUNK, byteLength - start));
    await source.read(bytes, position + start);
    if (bigEndian) reverseEach(bytes, size);
    convert(type, bytes, out, start / size, name);
  }
  return out;
}

function reverseEach(bytes: Uint8Array, size: number): void {
  if (size === 1) return;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else buffer.swap64();
}

function allocate(type: 'float32' | 'int32', count: number, name: string): Float32Array | Int32Array {
  try {
    return type === 'float32' ? new Float32Array(count) : new Int32Array(count);
  } catch (error) {
    throw new CudnnGruError('ERR_OUT_OF_MEMORY', `no memory for the ${count} elements of tensor ${quote(name)}`, {
      cause: error,
    });
  }
}

/** Runs `parse`; what it finds wrong with the contents of a file is reported with the file's name. */
export async function naming<T>(path: string, parse: () => Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    if (error instanceof CudnnGruError && (error.code === 'ERR_FORMAT' || error.code === 'ERR_UNSUPPORTED')) {
      if (error.message.startsWith(path)) throw error;
      throw new CudnnGruError(error.code, `${path}: ${error.message}`, { cause: error.cause });
    }
    throw error;
  }
}
