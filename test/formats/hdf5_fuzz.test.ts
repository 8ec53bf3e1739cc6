import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, it } from 'vitest';
import { readHdf5 } from '../../dist/formats/keras/hdf5.js';
import { exportKeras, importModel, LayerNorm } from '../../dist/index.js';
import { CudnnGruError } from '../../lib/errors.js';
import { fuzz } from './fuzz.js';

const folder = mkdtempSync(join(tmpdir(), 'cudnn-gru-hdf5-'));
const path = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// The library may hang or crash on a damaged file; its thread then ends, and the next file gets a new one, as each file does in use.
const SECONDS = 20;
let worker: Worker | undefined;
afterAll(async () => void (await worker?.terminate()));
let ended = 0;

async function start(): Promise<Worker> {
  const url = fileURLToPath(new URL('hdf5_fuzz_worker.mjs', import.meta.url));
  const started = new Worker(url, { stdout: true, stderr: true, resourceLimits: { maxOldGenerationSizeMb: 256 } });
  started.stdout.resume();
  started.stderr.resume();
  await once(started, 'message');
  return started;
}

async function read(bytes: Buffer): Promise<number> {
  worker ??= await start();
  const current = worker;
  let timer: NodeJS.Timeout | undefined;
  try {
    const answer = await new Promise<{ bytes: number } | { failed: string }>((resolve, reject) => {
      timer = setTimeout(() => reject(new CudnnGruError('ERR_FORMAT', 'it took too long')), SECONDS * 1000);
      current.once('message', resolve);
      current.once('error', (error) => reject(new CudnnGruError('ERR_FORMAT', error.message)));
      current.postMessage(Uint8Array.from(bytes));
    });
    if ('bytes' in answer) return answer.bytes;
    throw new CudnnGruError('ERR_FORMAT', answer.failed);
  } catch (error) {
    if (!(error instanceof CudnnGruError)) throw error;
    if (error.message === 'it took too long' || current.threadId === -1) {
      ended += 1;
      worker = undefined;
      await current.terminate();
    }
    throw error;
  } finally {
    clearTimeout(timer);
    current.removeAllListeners('message');
    current.removeAllListeners('error');
  }
}

await exportKeras(path('small.weights.h5'), new LayerNorm({ size: 2 }));
fuzz('.h5', [readFileSync(path('small.weights.h5'))], read, SECONDS + 2);

it('the library’s thread seldom had to be ended', () => {
  expect(ended).toBeLessThan(20);
});

it('a reader that takes too long is ended, and the process goes on', async () => {
  const bytes = new Uint8Array(readFileSync(path('small.weights.h5')));
  await expect(readHdf5({ size: bytes.length, bytes }, 0.001)).rejects.toMatchObject({
    code: 'ERR_FORMAT',
    message: expect.stringMatching(/took longer/),
  });
});

it.each([
  ['empty', ''],
  ['text', 'not HDF5 at all'],
  ['a signature alone', '\u0089HDF\r\n\u001a\n'],
])('%s is refused', async (_, text) => {
  writeFileSync(path('bad.h5'), text, 'latin1');
  await expect(importModel(path('bad.h5'))).rejects.toMatchObject({
    code: 'ERR_FORMAT',
    message: expect.stringMatching(/bad.h5: /),
  });
});
