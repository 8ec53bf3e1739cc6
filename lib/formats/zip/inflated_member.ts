import { type ByteSource, endsBefore } from '../byte_source.js';

/** The bytes of one decompression from its start, piece by piece. */
export type Inflate = () => Promise<AsyncIterator<Uint8Array>>;

/** A compressed member of an archive. It unfolds as it is read: forwards in one go, backwards from the start again. */
export class InflatedMember implements ByteSource {
  readonly size: number;
  readonly #inflate: Inflate;
  #pieces: AsyncIterator<Uint8Array> | undefined;
  #piece: Uint8Array = new Uint8Array(0);
  // Where the piece lies in the member.
  #start = 0;

  /** @param size what the archive's directory says; `inflate` fails where there is more or less */
  constructor(size: number, inflate: Inflate) {
    this.size = size;
    this.#inflate = inflate;
  }

  async read(bytes: Uint8Array, position: number): Promise<void> {
    const end = position + bytes.length;
    if (end > this.size) throw endsBefore(end, this.size);
    if (!this.#pieces || position < this.#start) await this.#restart();
    for (let done = 0; done < bytes.length; ) {
      const at = position + done - this.#start;
      if (at >= this.#piece.length) {
        if (!(await this.#next())) throw endsBefore(end, this.#start);
        continue;
      }
      const part = this.#piece.subarray(at, at + bytes.length - done);
      bytes.set(part, done);
      done += part.length;
    }
    // What lies behind the end is found out by asking for it.
    if (end === this.size) while (await this.#next());
  }

  async #restart(): Promise<void> {
    await this.#pieces?.return?.();
    this.#pieces = await this.#inflate();
    this.#piece = new Uint8Array(0);
    this.#start = 0;
  }

  async #next(): Promise<boolean> {
    const { done, value } = (await this.#pieces?.next()) ?? { done: true, value: undefined };
    this.#start += this.#piece.length;
    this.#piece = done ? new Uint8Array(0) : (value as Uint8Array);
    return !done;
  }
}
