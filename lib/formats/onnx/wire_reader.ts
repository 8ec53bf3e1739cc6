import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { type ByteSource, readBytes, SourceSlice } from '../byte_source.js';

const WINDOW_BYTES = 1 << 16;
// A tag, and a number or a length behind it.
const FIELD_BYTES = 20;

/** protobuf's wire format, read from a source by ranges: https://protobuf.dev/programming-guides/encoding */
export class WireReader {
  readonly #source: ByteSource;
  // Some of the source's bytes, and where they lie in it.
  #window: Uint8Array = new Uint8Array(0);
  #start = 0;
  #reader = new BinaryReader(this.#window);

  constructor(source: ByteSource) {
    this.#source = source;
  }

  get position(): number {
    return this.#start + this.#reader.pos;
  }

  /** Whether the next field can be read; otherwise `load` is to be called. */
  get ready(): boolean {
    return this.#reader.pos + FIELD_BYTES <= this.#reader.len || this.#start + this.#reader.len === this.#source.size;
  }

  async load(bytes = FIELD_BYTES): Promise<void> {
    const start = this.position;
    const length = Math.min(Math.max(bytes, WINDOW_BYTES), this.#source.size - start);
    this.#look(await readBytes(this.#source, start, length), start);
  }

  tag(): [field: number, wireType: WireType] {
    return this.#reader.tag();
  }

  int(): number {
    return Number(this.#reader.int64());
  }

  float(): number {
    return this.#reader.float();
  }

  /** The length of the bytes that follow, which end at `end` at the latest. */
  length(end: number): number {
    const length = this.#reader.uint32();
    this.#checkLength(length, end);
    return length;
  }

  /** The next bytes, which stay where they are. */
  part(length: number): ByteSource {
    const part = new SourceSlice(this.#source, this.position, length);
    this.#move(length);
    return part;
  }

  async text(length: number): Promise<string> {
    if (this.#reader.pos + length > this.#reader.len) await this.load(length);
    const at = this.#reader.pos;
    this.#reader.pos += length;
    return Buffer.from(this.#window.buffer, at, length).toString('utf8');
  }

  /** Goes over the value of a field that is not read. */
  skip(wireType: WireType, end: number): void {
    if (wireType === WireType.Varint) this.#reader.int64();
    else if (wireType === WireType.LengthDelimited) this.#move(this.length(end));
    else if (wireType === WireType.Bit32 || wireType === WireType.Bit64) {
      const length = wireType === WireType.Bit32 ? 4 : 8;
      this.#checkLength(length, end);
      this.#move(length);
    } else throw new Error(`a field of wire type ${wireType}`);
  }

  #checkLength(length: number, end: number): void {
    if (this.position + length > end) throw new Error(`a field of ${length} bytes does not fit into its message`);
  }

  // What lies beyond the window is not loaded before it is asked for.
  #move(length: number): void {
    const inside = this.#reader.pos + length;
    if (inside <= this.#reader.len) {
      this.#reader.pos = inside;
      return;
    }
    this.#look(new Uint8Array(0), this.#start + inside);
  }

  #look(window: Uint8Array, start: number): void {
    this.#window = window;
    this.#start = start;
    this.#reader = new BinaryReader(window);
  }
}
