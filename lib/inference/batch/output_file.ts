import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileError, syncFolder } from '../../formats/files.js';

const bufferBytes = 256 << 10;

/**
 * A file that grows under a temporary name, survives the process, and gets its own name when it is complete. What lies behind the last
 * `flush` after a crash is cut off when it is opened again.
 */
export class OutputFile {
  readonly path: string;
  /** Bytes written so far, those in memory included. */
  bytes: number;
  readonly #temporary: string;
  readonly #file: FileHandle;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;

  private constructor(path: string, temporary: string, file: FileHandle, bytes: number) {
    this.path = path;
    this.#temporary = temporary;
    this.#file = file;
    this.bytes = bytes;
  }

  static partOf(path: string): string {
    return `${path}.partial`;
  }

  /** @param keep bytes of what an earlier process wrote; 0 begins anew */
  static async open(path: string, keep: number): Promise<OutputFile> {
    const temporary = OutputFile.partOf(path);
    let file: FileHandle | undefined;
    try {
      file = await open(temporary, keep > 0 ? 'r+' : 'w');
      await file.truncate(keep);
      return new OutputFile(path, temporary, file, keep);
    } catch (error) {
      await file?.close();
      throw fileError(error, 'write', path);
    }
  }

  /** Kept in memory until there is enough; then waits for the disk. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.bytes += bytes.length;
    if (this.#waitingBytes >= bufferBytes) await this.#drain();
  }

  /** Until everything written is on the disk. */
  async flush(): Promise<void> {
    await this.#guard(async () => {
      await this.#drain();
      await this.#file.datasync();
    });
  }

  /** Replaces bytes at the start, which were written before. */
  async patch(bytes: Uint8Array): Promise<void> {
    await this.#guard(async () => {
      await this.#drain();
      await this.#file.write(bytes, 0, bytes.length, 0);
    });
  }

  /** Gives the file its name. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#guard(async () => {
      await this.#file.close();
      await rename(this.#temporary, this.path);
      await syncFolder(dirname(this.path));
    });
  }

  /** Leaves what was flushed for a later process, or nothing. */
  async abandon(keep: boolean): Promise<void> {
    await this.#file.close().catch(() => undefined);
    if (!keep) await unlink(this.#temporary).catch(() => undefined);
  }

  async #drain(): Promise<void> {
    const bytes = this.#waiting.length === 1 ? (this.#waiting[0] as Uint8Array) : Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    let position = this.bytes - bytes.length;
    await this.#guard(async () => {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, position);
        done += bytesWritten;
        position += bytesWritten;
      }
    });
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw fileError(error, 'write', this.path);
    }
  }
}
