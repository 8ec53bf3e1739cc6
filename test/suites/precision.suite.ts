import { describe, expect, it } from 'vitest';
import {
  Adam,
  CudnnGruError,
  data,
  GRU,
  Linear,
  losses,
  ops,
  Sequential,
  setSeed,
  type Tensor,
  Trainer,
  withPrecision,
} from '../../lib/index.js';
import { Array64, item } from '../reference/array64.js';
import { type Backend, expectSame, onDevice } from './backend.js';
import { expectClose, random32, toleranceIn } from './checks.js';
import { withMostSteps } from './gru_check.js';

export function unsuited(backend: Backend): string {
  return backend.device === 'cpu' ? 'the CPU computes in float32 only' : '';
}

/** Lower precisions beside float32, and each of cuDNN's algorithms beside STANDARD. */
export function run(backend: Backend): void {
  const { device } = backend;

  /** What `forward` gives and the gradients of all `leaves`, one after the other. */
  async function pass(leaves: readonly Tensor[], forward: () => Tensor, scale = 1): Promise<Float32Array[]> {
    for (const leaf of leaves) leaf.grad = null;
    const output = forward();
    ops.scale(output.sum(), scale).backward();
    const tensors = [output, ...leaves.map((leaf) => leaf.grad as Tensor)];
    return Promise.all(tensors.map((tensor) => tensor.data() as Promise<Float32Array>));
  }

  describe.each(['tf32', 'float16', 'bfloat16'] as const)('%s', (precision) => {
    async function compare(leaves: readonly Tensor[], forward: () => Tensor): Promise<void> {
      // Gradients as small as a mean over many examples gives: below what float16 holds.
      const expected = await pass(leaves, forward, 1e-8);
      const actual = await pass(leaves, () => withPrecision(precision, forward), 1e-8);
      for (const [index, array] of expected.entries()) {
        expect(array.some((value) => value !== 0)).toBe(true);
        expectClose(item(actual, index), array, toleranceIn(precision, array), `array ${index}`);
      }
    }

    it.each(['resetAfter', 'resetBefore'] as const)(
      'gru, %s: close to float32, forward and backward',
      async (variant) => {
        const gru = new GRU({ inputSize: 5, hiddenSize: 12, numLayers: 2, bidirectional: true, variant, device });
        const x = onDevice(backend, random32(1, [4, 7, 5]), true);
        await compare([x, ...gru.parameters()], () => gru.forward(x, { lengths: [7, 2, 0, 5] }).output);
      },
    );

    it.each([
      ['a stack', {}],
      ['two directions', { bidirectional: true }],
    ])('gru, in pieces, %s: close to float32, forward and backward', async (_, options) => {
      const gru = new GRU({ inputSize: 5, hiddenSize: 12, numLayers: 2, ...options, device });
      const x = onDevice(backend, random32(6, [4, 7, 5]), true);
      const run = () => gru.forward(x, { lengths: [7, 2, 0, 5] }).output;
      await withMostSteps(backend, 3, () => compare([x, ...gru.parameters()], run));
    });

    it('gru: gradients that add up 100,000 numbers of one sign, more than float16 holds', async () => {
      const gru = new GRU({ inputSize: 1, hiddenSize: 3, device });
      const x = onDevice(backend, random32(7, [256, 400, 1]));
      await compare(gru.parameters(), () => gru.forward(x).output);
      const biasGrad = await ((gru.bias_ih_l0 as Tensor).grad as Tensor).data();
      expect(Math.max(...biasGrad)).toBeGreaterThan(1e-8 * 65504);
    });

    it('linear and matmul: close to float32, forward and backward', async () => {
      const layer = new Linear({ inputSize: 20, outputSize: 9, device });
      const x = onDevice(backend, random32(2, [6, 20]), true);
      await compare([x, ...layer.parameters()], () => layer.forward(x));
      const [a, b] = [
        onDevice(backend, random32(3, [2, 5, 20]), true),
        onDevice(backend, random32(4, [2, 20, 7]), true),
      ];
      await compare([a, b], () => ops.matmul(a, b));
    });

    it('a training in it goes as one in float32, and its parameters stay float32', async () => {
      const curve = async (chosen: typeof precision | 'float32') => {
        const random = random32(5, [24, 6, 3]);
        const rows = Array.from({ length: 24 }, (_, row) =>
          Array.from({ length: 6 }, (_, t) => [0, 1, 2].map((k) => item(random.data, (row * 6 + t) * 3 + k))),
        );
        const targets = rows.map((row) => [row.reduce((sum, step) => sum + item(step, 0), 0) / 3]);
        setSeed(3);
        const gru = new GRU({ inputSize: 3, hiddenSize: 8, device });
        const head = new Linear({ inputSize: 8, outputSize: 1, device });
        const model = new Sequential(gru, head);
        const dataset = new data.SequenceDataset({ sequences: rows, targets });
        const trainer = new Trainer({
          model,
          optimizer: new Adam(model.parameters(), { learningRate: 1e-2 }),
          loss: ({ inputs, targets }) => losses.mse(head.forward(ops.lastStep(gru.forward(inputs).output)), targets),
          data: new data.Batches(dataset, { batchSize: 24 }),
          epochs: 25,
          precision: chosen,
        });
        const { history, skippedSteps } = await trainer.fit();
        expect(skippedSteps).toBe(0);
        expect(gru.weight_hh_l0?.dtype).toBe('float32');
        return history.map(({ trainLoss }) => trainLoss);
      };
      const [expected, actual] = [await curve('float32'), await curve(precision)];
      expect(item(expected, 24)).toBeLessThan(item(expected, 0) / 2);
      expectClose(actual, expected, toleranceIn(precision, expected), 'loss curve');
    });
  });

  describe('algorithms', () => {
    const combinations = (['float32', 'tf32', 'float16', 'bfloat16'] as const).flatMap((precision) =>
      [true, false].flatMap((timeMajor) => [null, [6, 2, 0]].map((lengths) => ({ precision, timeMajor, lengths }))),
    );
    it.each(combinations)('give the results of STANDARD in float32, or refuse: %j', async (combination) => {
      const { precision, timeMajor, lengths } = combination;
      const gru = new GRU({ inputSize: 4, hiddenSize: 10, numLayers: 2, bidirectional: true, timeMajor, device });
      const x = onDevice(backend, random32(6, timeMajor ? [6, 3, 4] : [3, 6, 4]), true);
      const leaves = [x, ...gru.parameters()];
      const forward = () => gru.forward(x, { lengths }).output;
      gru.algorithm = 'standard';
      const expected = await pass(leaves, forward);
      let computed = 0;
      for (const algorithm of ['standard', 'persistStatic', 'persistStaticSmallH', 'tuned', 'auto'] as const) {
        gru.algorithm = algorithm;
        const actual = await pass(leaves, () => withPrecision(precision, forward)).catch((error) => {
          expect(error).toBeInstanceOf(CudnnGruError);
          expect(error.code).toBe('ERR_UNSUPPORTED');
        });
        if (!actual) continue;
        computed++;
        for (const [index, array] of expected.entries()) {
          const label = `${algorithm}, array ${index}`;
          if (precision === 'float32')
            expectSame(backend, item(actual, index), new Array64([array.length], array), label);
          else expectClose(item(actual, index), array, toleranceIn(precision, array), label);
        }
      }
      expect(computed).toBeGreaterThanOrEqual(3); // 'standard', 'tuned' and 'auto' refuse nothing
    });
  });
}
