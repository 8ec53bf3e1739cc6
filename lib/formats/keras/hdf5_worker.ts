import { parentPort, workerData } from 'node:worker_threads';
import type { Hdf5Answer, Hdf5Request } from './hdf5.js';
import { type H5wasm, limitMemory, readContents, writeContents } from './hdf5_access.js';

// The thread that hdf5.ts starts for one file, and ends when it takes too long.

async function answer(request: Hdf5Request): Promise<Hdf5Answer> {
  limitMemory(request.maxMemory);
  let h5: H5wasm;
  try {
    h5 = (await import('h5wasm')).default;
    await h5.ready;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return { missing: true };
    throw error;
  }
  return request.source
    ? { contents: await readContents(h5, request.source, request.maxBytes) }
    : { file: await writeContents(h5, request.arrays, request.attributes) };
}

try {
  parentPort?.postMessage(await answer(workerData as Hdf5Request));
} catch (error) {
  parentPort?.postMessage({ failed: error instanceof Error ? error.message : String(error) } satisfies Hdf5Answer);
}
