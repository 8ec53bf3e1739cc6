import { Worker } from 'node:worker_threads';
import { CudnnGruError } from '../../errors.js';

// HDF5 files, by h5wasm in a worker thread (hdf5_worker.ts): a file that sends the library astray costs that thread and some seconds.

const MEMORY = 64 << 20;
const SECONDS = 20;
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

/** What the worker is asked: to read a file, or to write one. @internal */
export type Hdf5Request = { maxMemory: number } & (
  | { source: Hdf5Source; maxBytes: number }
  | { source?: undefined; arrays: readonly Hdf5Array[]; attributes: Readonly<Record<string, string>> }
);

/** @internal */
export type Hdf5Answer = { contents: Hdf5Contents } | { file: Uint8Array } | { missing: true } | { failed: string };

/**
 * Reads the arrays of a file and the attributes that name them.
 *
 * @param seconds what it may take at most; default: 20, and one more for each 10 MB
 * @throws CudnnGruError `ERR_FORMAT`; `ERR_UNSUPPORTED` where h5wasm is not installed
 */
export async function readHdf5(
  source: Hdf5Source,
  seconds = SECONDS + source.size / BYTES_PER_SECOND,
): Promise<Hdf5Contents> {
  const maxBytes = source.size + (32 << 20);
  const answer = await ask({ source, maxBytes, maxMemory: MEMORY + source.size }, seconds);
  if ('contents' in answer) return answer.contents;
  throw malformed('failed' in answer ? answer.failed : 'no answer');
}

/**
 * The bytes of a file with these arrays.
 *
 * @param attributes the attribute `name` of groups, by their paths
 * @throws CudnnGruError `ERR_UNSUPPORTED` where h5wasm is not installed
 */
export async function writeHdf5(
  arrays: readonly Hdf5Array[],
  attributes: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  const bytes = arrays.reduce((sum, { data }) => sum + (data?.byteLength ?? 0), 0);
  const answer = await ask({ arrays, attributes, maxMemory: MEMORY + 4 * bytes }, SECONDS + bytes / BYTES_PER_SECOND);
  if ('file' in answer) return answer.file;
  throw new CudnnGruError(
    'ERR_INTERNAL',
    `h5wasm could not write: ${'failed' in answer ? answer.failed : 'no answer'}`,
  );
}

function malformed(reason: string): CudnnGruError {
  return new CudnnGruError('ERR_FORMAT', `not an HDF5 file that can be read: ${reason}`);
}

async function ask(request: Hdf5Request, seconds: number): Promise<Hdf5Answer> {
  const worker = new Worker(new URL('./hdf5_worker.js', import.meta.url), {
    workerData: request,
    // HDF5 prints what it does not like; the error says it.
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    const answer = await new Promise<Hdf5Answer>((resolve, reject) => {
      timer = setTimeout(() => reject(malformed(`it took longer than ${Math.round(seconds)} s`)), seconds * 1000);
      worker.once('message', resolve);
      worker.once('error', (error) => reject(malformed(error.message)));
      worker.once('exit', () => reject(malformed('its reader ended')));
    });
    if ('missing' in answer) {
      throw new CudnnGruError('ERR_UNSUPPORTED', 'Keras files need the package h5wasm: npm install h5wasm@0.10.3');
    }
    return answer;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
