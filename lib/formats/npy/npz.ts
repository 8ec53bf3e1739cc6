import { Readable } from 'node:stream';
import {
  checkBoolean,
  checkInteger,
  checkOptions,
  checkString,
  quote,
  wrongKind,
  wrongRange,
} from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { FileSource, naming } from '../byte_source.js';
import { writeBytes, writeFileAtomically } from '../files.js';
import { nameProblem } from '../safetensors_header.js';
import { usualArrayBytes, ZipArchive } from '../zip/zip_archive.js';
import { encodeArray, type NumpyArray, readArray } from './npy.js';

export interface ReadNpzOptions {
  /**
   * What the arrays of a compressed file may unfold to, in bytes: a small file can hold very many zeros. Default: the size of the file and
   * 24 MiB, and as much or four times the file in memory, where a number has four bytes.
   */
  maxBytes?: number;
}

/**
 * Reads the arrays of a `.npz` file by name, as `numpy.savez` and `numpy.savez_compressed` write them; see `readNpy`.
 *
 * @throws TypeError, RangeError; CudnnGruError as `readNpy`
 */
export async function readNpz(path: string, options: ReadNpzOptions = {}): Promise<Record<string, NumpyArray>> {
  checkOptions(options, 'options', ['maxBytes']);
  const { maxBytes } = options;
  if (maxBytes !== undefined) checkInteger(maxBytes, 'maxBytes', { min: 0 });
  const source = await FileSource.open(checkString(path, 'path'));
  try {
    return await naming(path, () => readArrays(source, maxBytes));
  } finally {
    await source.close();
  }
}

/** @internal */
export async function readArrays(
  source: Parameters<typeof ZipArchive.open>[0],
  maxBytes?: number,
): Promise<Record<string, NumpyArray>> {
  const archive = await ZipArchive.open(source, maxBytes);
  const arrays: [string, NumpyArray][] = [];
  let left = maxBytes === undefined ? usualArrayBytes(source) : Number.POSITIVE_INFINITY;
  for (const member of archive.entries.keys()) {
    if (!member.endsWith('.npy')) {
      throw new CudnnGruError('ERR_FORMAT', `not a NumPy archive: its member ${quote(member)} is no array`);
    }
    const name = member.slice(0, -'.npy'.length);
    const array = await naming(`array ${quote(name)}`, async () => readArray(await archive.member(member), name, left));
    left -= array.data.byteLength;
    arrays.push([name, array]);
  }
  return Object.fromEntries(arrays);
}

export interface WriteNpzOptions {
  /** Whether the arrays are deflated, as by `numpy.savez_compressed`. Default: false. */
  compress?: boolean;
}

/**
 * Writes arrays as a `.npz` file, whole or not at all.
 *
 * @param arrays by name; a name may not hold `/` or `\`
 * @throws TypeError, RangeError; CudnnGruError `ERR_FILE`
 */
export async function writeNpz(
  path: string,
  arrays: Readonly<Record<string, Tensor | NumpyArray>>,
  options: WriteNpzOptions = {},
): Promise<void> {
  checkString(path, 'path');
  checkOptions(options, 'options', ['compress']);
  const compress = checkBoolean(options.compress ?? false, 'compress');
  if (typeof arrays !== 'object' || arrays === null) throw wrongKind('arrays', 'an object of arrays by name', arrays);
  const encoded: [string, [Uint8Array, Uint8Array]][] = [];
  for (const [name, array] of Object.entries(arrays)) {
    const problem = /[\\/:]/.test(name) ? 'leads to another folder' : nameProblem(name);
    if (problem !== undefined) throw wrongRange('arrays', `names of files; this one ${problem}`, name);
    encoded.push([name, await encodeArray(array, `arrays[${quote(name)}]`)]);
  }
  const { ZipFile } = await import('yazl');
  await writeFileAtomically(path, async (file) => {
    const zip = new ZipFile();
    // The same arrays give the same bytes.
    const mtime = new Date(1980, 0, 1);
    for (const [name, parts] of encoded) {
      const size = parts[0].length + parts[1].length;
      zip.addReadStreamLazy(`${name}.npy`, { compress, mtime, size, forceDosTimestamp: true }, (give) => {
        give(null, Readable.from(pieces(parts), { objectMode: false }));
      });
    }
    zip.end();
    for await (const chunk of zip.outputStream) await writeBytes(file, chunk as Uint8Array);
  });
}

function* pieces(parts: readonly Uint8Array[]): Iterable<Uint8Array> {
  for (const part of parts) {
    for (let start = 0; start < part.length; start += 1 << 20) yield part.subarray(start, start + (1 << 20));
  }
}
