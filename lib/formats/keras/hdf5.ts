import { Worker } from 'node:worker_threads';
import { CudnnGruError } from '../../errors.js';

// HDF5 files, by h5wasm in a worker thread (hdf5_worker.ts): a file that sends the library astray costs that thread and some seconds.

const MEMORY = 64 << 20;
const SECONDS = 60;
// The slowest disk that is waited for.
const BYTES_PER_SECOND = 10e6;

/** Where the HDF5 bytes are: a part of a file, or memory. */
export type Hdf5Source = { size: number; path: string; start: number } | { size: number; bytes: Uint8Array };

export interface Hdf5Array {
  /** Names of groups and the array, with `/` between them. */
  readonly path: string;
  readonly shape: readonly number[];
  /** null where the elements are neither float32 nor float64. */
  readonly data: Float32Array | Float64Array | null;
}

export interface Hdf5Contents {
  /** Under `group@name`. */
  readonly attributes: Record<string, unknown>;
  readonly arrays: Hdf5Array[];
}

/** What a worker is started for: to read a file, or to write one at a path where an empty one is. @internal */
export type Hdf5Request = { maxMemory: number } & ({ source: Hdf5Source; maxBytes: number } | { target: string });

/** What a writing worker is told, one after another; the attributes `name` of groups, by their paths, end the file. @internal */
export type Hdf5Order = { array: Hdf5Array } | { names: Readonly<Record<string, string>> };

/** @internal */
export type Hdf5Answer = { contents: Hdf5Contents } | { done: true } | { missing: true } | { failed: string };

/**
 * Reads the arrays of a file and the attributes that name them.
 *
 * @param seconds what it may take at most; default: 60, and one more for each 10 MB
 * @throws CudnnGruError `ERR_FORMAT`; `ERR_UNSUPPORTED` where h5wasm is not installed
 */
export async function readHdf5(
  source: Hdf5Source,
  seconds = SECONDS + source.size / BYTES_PER_SECOND,
): Promise<Hdf5Contents> {
  const maxBytes = source.size + (32 << 20);
  const worker = new Hdf5Worker({ source, maxBytes, maxMemory: MEMORY + source.size });
  try {
    const answer = await worker.answer(seconds);
    if ('contents' in answer) return answer.contents;
    throw malformed('failed' in answer ? answer.failed : 'no answer');
  } finally {
    await worker.end();
  }
}

/**
 * Fills a file with arrays, one after another; their memory is given away.
 *
 * @param path of an empty file
 * @param largest bytes that an array has at most
 * @param names the attribute `name` of groups, by their paths
 * @throws CudnnGruError `ERR_UNSUPPORTED` where h5wasm is not installed
 */
export async function writeHdf5(
  path: string,
  arrays: Iterable<Hdf5Array>,
  largest: number,
  names: Readonly<Record<string, string>>,
): Promise<void> {
  const worker = new Hdf5Worker({ target: path, maxMemory: MEMORY + 4 * largest });
  const seconds = SECONDS + largest / BYTES_PER_SECOND;
  const done = async () => {
    const answer = await worker.answer(seconds);
    if ('done' in answer) return;
    throw new CudnnGruError(
      'ERR_INTERNAL',
      `h5wasm could not write: ${'failed' in answer ? answer.failed : 'no answer'}`,
    );
  };
  try {
    await done();
    for (const array of arrays) {
      worker.tell({ array }, array.data === null ? [] : [array.data.buffer as ArrayBuffer]);
      await done();
    }
    worker.tell({ names });
    await done();
  } finally {
    await worker.end();
  }
}

function malformed(reason: string): CudnnGruError {
  return new CudnnGruError('ERR_FORMAT', `not an HDF5 file that can be read: ${reason}`);
}

class Hdf5Worker {
  readonly #worker: Worker;
  #resolve: (answer: Hdf5Answer) => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor(request: Hdf5Request) {
    this.#worker = new Worker(new URL('./hdf5_worker.js', import.meta.url), {
      workerData: request,
      // Of the process's own options some, `--input-type`, fit no worker with a file.
      execArgv: [],
      // HDF5 prints what it does not like; the error says it.
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    this.#worker.on('message', (answer: Hdf5Answer) => this.#resolve(answer));
    this.#worker.on('error', (error) => this.#reject(malformed(error.message)));
    this.#worker.on('exit', () => this.#reject(malformed('its reader ended')));
  }

  /** @param moved memory that changes hands */
  tell(order: Hdf5Order, moved: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(order, moved);
  }

  /** The next answer. To be called in the turn in which the worker was started or told something. */
  async answer(seconds: number): Promise<Hdf5Answer> {
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = await new Promise<Hdf5Answer>((resolve, reject) => {
        timer = setTimeout(() => reject(malformed(`it took longer than ${Math.round(seconds)} s`)), seconds * 1000);
        this.#resolve = resolve;
        this.#reject = reject;
      });
      if ('missing' in answer) {
        throw new CudnnGruError('ERR_UNSUPPORTED', 'Keras files need the package h5wasm: npm install h5wasm@0.10.3');
      }
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
