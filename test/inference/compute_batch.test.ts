import { describe, expect, it } from 'vitest';
import { Embedding, GRU, type Module, Sequential, tasks } from '../../lib/index.js';
import { batchKey, computeBatch, type HostTensors } from '../../lib/inference/compute_batch.js';
import { signatureOf } from '../../lib/inference/signature.js';
import { deviceOf } from '../../lib/tensor/device.js';

const device = deviceOf('cpu');

/** Calls of these sizes, [batch, time], whose numbers all differ. */
function callsOf(model: Module, sizes: [number, number][]): HostTensors[] {
  const [input] = signatureOf(model).inputs;
  return sizes.map(([batch, time], call) => {
    const shape = [batch, time, ...((input?.shape.slice(2) ?? []) as number[])];
    const count = shape.reduce((product, size) => product * size, 1);
    const numbers = Array.from({ length: count }, (_, i) => Math.sin(1 + i + 100 * call));
    const data =
      input?.dtype === 'int32'
        ? Int32Array.from(numbers, (each) => Math.abs(100 * each) % 7)
        : Float32Array.from(numbers);
    return [{ data, shape }];
  });
}

const models: [string, Module][] = [
  [
    'a GRU of two layers and both directions',
    new GRU({ inputSize: 3, hiddenSize: 5, numLayers: 2, bidirectional: true }),
  ],
  ['a time-major GRU', new GRU({ inputSize: 3, hiddenSize: 5, timeMajor: true })],
  ['a quantized GRU', new GRU({ inputSize: 3, hiddenSize: 8 }).quantize('int8')],
  [
    'a classifier of tokens',
    new tasks.Classifier({ classes: 3, vocabularySize: 7, hiddenSize: 5, pooling: 'mean' }).eval(),
  ],
  ['a classifier of rows', new tasks.Classifier({ classes: 3, inputSize: 2, hiddenSize: 5, pooling: 'max' }).eval()],
];

describe('computeBatch', () => {
  it.each(models)('%s: sequences of several lengths together give the bits of each alone', async (_, model) => {
    const signature = signatureOf(model);
    expect(signature.takesLengths).toBe(true);
    const calls = callsOf(model, [
      [2, 5],
      [1, 8],
      [3, 6],
      [1, 8],
    ]);
    const together = await computeBatch(signature, device, calls);
    for (const [i, call] of calls.entries()) {
      const [alone] = await computeBatch(signature, device, [call]);
      expect(together[i]).toEqual(alone);
    }
    model.dispose();
  });

  it('tells which calls go together', () => {
    const lengths = signatureOf(new GRU({ inputSize: 3, hiddenSize: 5 }));
    const exact = signatureOf(
      new Sequential(new Embedding({ vocabularySize: 7, embeddingSize: 2 }), new GRU({ inputSize: 2, hiddenSize: 5 })),
    );
    const key = (signature: typeof lengths, shape: number[]) =>
      batchKey(signature, [{ data: new Float32Array(0), shape }]);
    expect(key(lengths, [1, 5, 3])).toBe(key(lengths, [9, 8, 3]));
    expect(key(lengths, [1, 8, 3])).not.toBe(key(lengths, [1, 9, 3]));
    expect(key(exact, [1, 5])).toBe(key(exact, [2, 5]));
    expect(key(exact, [1, 5])).not.toBe(key(exact, [1, 6]));
  });
});
