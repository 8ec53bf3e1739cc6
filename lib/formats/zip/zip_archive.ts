import { Readable } from 'node:stream';
import type { Entry, RandomAccessReader, ZipFile } from 'yauzl';
import { quote } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import { type ByteSource, readBytes, SourceSlice } from '../byte_source.js';
import { InflatedMember } from './inflated_member.js';

// Zip archives hold PyTorch's, Keras's and NumPy's files. yauzl reads them by ranges and checks names and sizes; here lie the limits.

const MAX_ENTRIES = 16_384;
const ENTRY_BYTES = 1 << 16;
const STREAM_BYTES = 1 << 20;
const STORED = 0;
const DEFLATED = 8;

const SLACK = 24 << 20;

/** What an archive may unfold to in all, unless the caller knows better: little more than it has. */
export function usualUnfoldedBytes(source: ByteSource): number {
  return source.size + SLACK;
}

/** What the float32 or int32 arrays of a file may take in all: a number of one byte becomes one of four. */
export function usualArrayBytes(source: ByteSource): number {
  return 4 * source.size + SLACK;
}

/** A zip archive, open for reading. The source under it stays the caller's. */
export class ZipArchive {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly #source: ByteSource;
  readonly #zip: ZipFile;

  private constructor(source: ByteSource, zip: ZipFile, entries: ReadonlyMap<string, Entry>) {
    this.#source = source;
    this.#zip = zip;
    this.entries = entries;
  }

  /**
   * Reads the whole directory.
   *
   * @param maxBytes what all members together may unfold to
   * @throws CudnnGruError `ERR_FORMAT` for what is no zip archive, names that lead out of it, names that come twice, claims beyond the limits
   */
  static async open(source: ByteSource, maxBytes = usualUnfoldedBytes(source)): Promise<ZipArchive> {
    const yauzl = await import('yauzl');
    const reader = new (sourceReader(yauzl.RandomAccessReader))(source);
    const entries = new Map<string, Entry>();
    return reported(async () => {
      const zip = await yauzl.fromRandomAccessReaderPromise(reader, source.size, { autoClose: false });
      if (zip.entryCount > MAX_ENTRIES) {
        throw malformed(`it claims ${zip.entryCount} members; at most ${MAX_ENTRIES} are read`);
      }
      let unfolded = 0;
      for await (const entry of zip.eachEntry()) {
        if (entries.has(entry.fileName)) throw malformed(`it holds ${quote(entry.fileName)} twice`);
        unfolded += entry.uncompressedSize;
        if (unfolded > maxBytes) {
          throw malformed(`its members unfold to more than ${maxBytes} bytes, the most that is read`);
        }
        entries.set(entry.fileName, entry);
      }
      return new ZipArchive(source, zip, entries);
    });
  }

  /** A member's bytes, by ranges. @throws CudnnGruError `ERR_FORMAT` */
  async member(name: string): Promise<ByteSource> {
    const entry = this.entries.get(name);
    if (!entry) throw malformed(`it holds no ${quote(name)}`);
    const { compressionMethod, compressedSize, uncompressedSize } = entry;
    if (entry.isEncrypted()) throw malformed(`its member ${quote(name)} is encrypted`);
    if (compressionMethod === STORED) {
      if (compressedSize !== uncompressedSize) throw malformed(`its member ${quote(name)} has two sizes`);
      const { fileDataStart } = await reported(() => this.#zip.readLocalFileHeaderPromise(entry, { minimal: true }));
      return new SourceSlice(this.#source, fileDataStart, uncompressedSize);
    }
    if (compressionMethod !== DEFLATED) {
      throw malformed(`its member ${quote(name)} is compressed by method ${compressionMethod}, not by deflate`);
    }
    const pieces = async function* (zip: ZipFile): AsyncGenerator<Uint8Array> {
      try {
        // The stream fails where it has more or fewer bytes than the directory says.
        yield* await zip.openReadStreamPromise(entry);
      } catch (error) {
        throw fault(error);
      }
    };
    return new InflatedMember(uncompressedSize, async () => pieces(this.#zip));
  }

  /** A member that is text of at most `maxBytes` bytes. @throws CudnnGruError `ERR_FORMAT` */
  async text(name: string, maxBytes: number): Promise<string> {
    const source = await this.member(name);
    if (source.size > maxBytes) throw malformed(`its member ${quote(name)} has more than ${maxBytes} bytes`);
    return Buffer.from((await readBytes(source, 0, source.size)).buffer).toString('utf8');
  }
}

function malformed(reason: string): CudnnGruError {
  return new CudnnGruError('ERR_FORMAT', `not a zip archive that can be read: ${reason}`);
}

// Whatever yauzl and zlib find wrong is the archive's fault; errors of reading pass as they are.
async function reported<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw fault(error);
  }
}

function fault(error: unknown): CudnnGruError {
  if (error instanceof CudnnGruError) return error;
  return malformed(error instanceof Error ? error.message : String(error));
}

type Callback = (error: Error | null) => void;

// The base class comes with the library, which is loaded when an archive is first opened.
function sourceReader(Base: typeof RandomAccessReader): new (source: ByteSource) => RandomAccessReader {
  return class extends Base {
    readonly #source: ByteSource;
    // The directory is read in pieces of some 50 bytes: they come from one larger piece.
    #ahead: Uint8Array = new Uint8Array(0);
    #aheadStart = 0;

    constructor(source: ByteSource) {
      super();
      this.#source = source;
    }

    override read(buffer: Buffer, offset: number, length: number, position: number, callback: Callback): void {
      this.#fill(buffer.subarray(offset, offset + length), position).then(() => callback(null), callback);
    }

    override _readStreamForRange(start: number, end: number): Readable {
      return Readable.from(this.#pieces(start, end), { objectMode: false });
    }

    async #fill(bytes: Uint8Array, position: number): Promise<void> {
      const end = position + bytes.length;
      if (position < this.#aheadStart || end > this.#aheadStart + this.#ahead.length) {
        const length = Math.min(
          Math.max(ENTRY_BYTES, bytes.length),
          Math.max(bytes.length, this.#source.size - position),
        );
        this.#ahead = await readBytes(this.#source, position, length);
        this.#aheadStart = position;
      }
      bytes.set(this.#ahead.subarray(position - this.#aheadStart, end - this.#aheadStart));
    }

    async *#pieces(start: number, end: number): AsyncGenerator<Uint8Array> {
      for (let position = start; position < end; position += STREAM_BYTES) {
        yield await readBytes(this.#source, position, Math.min(STREAM_BYTES, end - position));
      }
    }
  };
}
