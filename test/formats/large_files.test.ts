import { statSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportOnnx, GRU, Sequential, saveModel, writeNpy, writeNpz } from '../../lib/index.js';
import { cost } from './cost.js';
import { temporaryFolder } from './temporary_folder.js';

// Files of 50 MB are read and written by ranges: in memory are the result and parts, never the file a second time.

const path = temporaryFolder();
const SLACK = 64 << 20;

beforeAll(async () => {
  for (const [name, inputSize, hiddenSize] of [
    ['small', 2, 2],
    ['large', 1024, 1600],
  ] as const) {
    const model = new Sequential(new GRU({ inputSize, hiddenSize }));
    await saveModel(path(`${name}.safetensors`), model);
    await exportOnnx(path(`${name}.onnx`), model);
    const array = { shape: [inputSize, 3 * hiddenSize], data: new Float32Array(3 * hiddenSize * inputSize) };
    await writeNpy(path(`${name}.npy`), array);
    await writeNpz(path(`${name}.npz`), { a: array, b: array });
  }
}, 60_000);

describe.runIf(process.platform === 'linux')('reading', () => {
  it.each<[string, string, number]>([
    // A model: its parameters, and the numbers that are read.
    ['loadModel', 'safetensors', 2],
    ['readStateDict', 'safetensors', 1],
    ['importOnnx', 'onnx', 2],
    ['readNpy', 'npy', 1],
    ['readNpz', 'npz', 1],
  ])('%s', async (name, extension, times) => {
    const file = path(`large.${extension}`);
    const { bytes, code } = await cost('read', name, path(`small.${extension}`), file);
    expect(code).toBe(undefined);
    expect(bytes).toBeLessThan(times * statSync(file).size + SLACK);
  });
});

describe.runIf(process.platform === 'linux')('writing a model that is in memory', () => {
  it.each<[string, number]>([
    ['saveModel', 1],
    ['exportPytorch', 1],
    // The model is run, which packs its weights.
    ['exportOnnx', 2],
    // HDF5's library takes copies of the array that it writes.
    ['exportKeras', 3],
    ['writeNpy', 1],
    ['writeNpz', 1],
  ])('%s', async (name, times) => {
    const model = path('large.safetensors');
    const { bytes, code } = await cost('write', name, model, path('written.weights.h5'));
    expect(code).toBe(undefined);
    expect(bytes).toBeLessThan(times * statSync(model).size + SLACK);
  });
});
