import { parentPort, workerData } from 'node:worker_threads';
import type { Hdf5Answer, Hdf5Contents, Hdf5Order, Hdf5Request } from './hdf5.js';
import { type H5wasm, Hdf5Writer, limitMemory, readContents } from './hdf5_access.js';

// The thread that hdf5.ts starts for one file, and ends when it takes too long.

const request = workerData as Hdf5Request;
const port = parentPort as NonNullable<typeof parentPort>;

async function answering(work: () => Promise<Hdf5Answer>): Promise<void> {
  try {
    const answer = await work();
    port.postMessage(answer, 'contents' in answer ? buffersOf(answer.contents) : []);
  } catch (error) {
    port.postMessage({ failed: error instanceof Error ? error.message : String(error) } satisfies Hdf5Answer);
  }
}

// They change hands without a copy.
function buffersOf({ arrays }: Hdf5Contents): ArrayBuffer[] {
  return arrays.flatMap(({ data }) => (data === null ? [] : [data.buffer as ArrayBuffer]));
}

async function library(): Promise<H5wasm | undefined> {
  limitMemory(request.maxMemory);
  try {
    const h5 = (await import('h5wasm')).default;
    await h5.ready;
    return h5;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

await answering(async () => {
  const h5 = await library();
  if (!h5) return { missing: true };
  if ('source' in request) return { contents: await readContents(h5, request.source, request.maxBytes) };
  const writer = await Hdf5Writer.create(h5, request.target);
  port.on('message', (order: Hdf5Order) =>
    answering(async () => {
      if ('array' in order) writer.add(order.array);
      else writer.finish(order.names);
      return { done: true };
    }),
  );
  return { done: true };
});
