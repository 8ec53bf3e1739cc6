// Reads one HDF5 file after another as hdf5_worker.js reads one, so that thousands of damaged files cost one start of the library.
import { parentPort } from 'node:worker_threads';
import h5wasm from 'h5wasm';
import { limitMemory, readContents } from '../../dist/formats/keras/hdf5_access.js';

limitMemory(128 << 20);
await h5wasm.ready;
parentPort.on('message', async (bytes) => {
  try {
    const { arrays } = await readContents(h5wasm, { size: bytes.length, bytes }, bytes.length + (32 << 20));
    parentPort.postMessage({ bytes: arrays.reduce((sum, { data }) => sum + (data?.byteLength ?? 0), 0) });
  } catch (error) {
    parentPort.postMessage({ failed: error.message });
  }
});
parentPort.postMessage('ready');
