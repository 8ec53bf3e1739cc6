import { describe, expect, it } from 'vitest';
import { CudnnGruError, Generator, ops, type Tensor } from '../../lib/index.js';
import { Array64, indices, item, range } from '../reference/array64.js';
import { golden, settingOf } from '../reference/golden.js';
import * as reference from '../reference/layers.js';
import * as rearrange from '../reference/rearrange.js';
import { type Backend, checkOperation, gradientOf, integersOnDevice, onDevice } from './backend.js';
import { expectNear, expectSameBits, ODD_SIZES, random32, randomIntegers } from './checks.js';

/** Embedding, normalization, dropout, softmax, and the operations that move elements. */
export function run(backend: Backend): void {
  describe('embedding', () => {
    it('golden values', async () => {
      const c = golden('layers').case('embedding');
      const weight = onDevice(backend, c.get('weight'), true);
      const ids = integersOnDevice(backend, c.integers('ids'), [4, 6]);
      const y = ops.embedding(ids, weight, settingOf(c, 'padding_idx', 0));
      expect([...y.shape]).toEqual([4, 6, 5]);
      expectSameBits(await y.data(), c.get('y').data, 'y');
      y.backward(onDevice(backend, c.get('dy')));
      expectNear(await gradientOf(weight, 'weight'), c.get('grad.weight'), 'accumulated', 'gradient of weight');
    });

    it.each([1, 3, ...ODD_SIZES])('rows of %i, with repeated ids', async (size) => {
      const weight = random32(1, [13, size]);
      const ids = randomIntegers(2, 40, 13);
      for (const paddingIndex of [null, 0, 12]) {
        await checkOperation(backend, `embedding, paddingIndex ${paddingIndex}`, {
          inputs: [weight],
          run: (w) => ops.embedding(integersOnDevice(backend, ids), w as Tensor, paddingIndex ?? undefined),
          expected: reference.embeddingForward(ids, weight),
          backward: (grad) => [reference.embeddingBackward(ids, weight, paddingIndex, grad)],
          kind: 'accumulated',
        });
      }
    });

    it.each([-1, 13, 2 ** 31 - 1])('the id %i is refused when it is read, and the device stays usable', async (id) => {
      const weight = onDevice(backend, random32(1, [13, 4]));
      const y = ops.embedding(integersOnDevice(backend, [0, id]), weight);
      const error = await y.data().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(CudnnGruError);
      expect((error as CudnnGruError).code).toBe('ERR_INDEX_OUT_OF_RANGE');
      expect((error as CudnnGruError).message).toContain(String(id));
      await expect(weight.data()).resolves.toHaveLength(52);
    });
  });

  describe('layer norm', () => {
    it('golden values', async () => {
      const c = golden('layers').case('layer_norm');
      const leaves = ['x', 'weight', 'bias'].map((name) => onDevice(backend, c.get(name), true));
      const [x, weight, bias] = leaves as [Tensor, Tensor, Tensor];
      const y = ops.layerNorm(x, weight, bias, settingOf(c, 'eps', 1e-5));
      expectNear(await y.data(), c.get('y'), 'accumulated', 'y');
      y.backward(onDevice(backend, c.get('dy')));
      for (const [i, name] of ['x', 'weight', 'bias'].entries()) {
        expectNear(
          await gradientOf(item(leaves, i), name),
          c.get(`grad.${name}`),
          'accumulated',
          `gradient of ${name}`,
        );
      }
    });

    it.each([2, 5, 16, ...ODD_SIZES])('%i columns', async (columns) => {
      const [x, weight, bias] = [random32(1, [7, columns], -3, 5), random32(2, [columns]), random32(3, [columns])];
      await checkOperation(backend, 'layerNorm', {
        inputs: [x, weight, bias],
        run: (v, w, b) => ops.layerNorm(v as Tensor, w, b, 1e-5),
        expected: reference.layerNormForward(x, weight, bias, 1e-5),
        backward: (grad) => Object.values(reference.layerNormBackward(x, weight, 1e-5, grad)),
        kind: 'accumulated',
      });
    });

    it('many rows, and no weight or bias', async () => {
      const x = random32(1, [300, 33], -2, 2);
      await checkOperation(backend, 'layerNorm', {
        inputs: [x],
        run: (v) => ops.layerNorm(v as Tensor, null, null, 1e-3),
        expected: reference.layerNormForward(x, null, null, 1e-3),
        backward: (grad) => [reference.layerNormBackward(x, null, 1e-3, grad).x],
        kind: 'accumulated',
      });
    });

    it('rows that are constant, and rows far from 0', async () => {
      const x = new Array64([2, 64], [...new Array(64).fill(3), ...range(64).map((i) => 10_000 + i / 64)]);
      const y = ops.layerNorm(onDevice(backend, x.map(Math.fround)), null, null, 1e-5);
      const expected = reference.layerNormForward(x.map(Math.fround), null, null, 1e-5);
      expectNear(await y.data(), expected, 'accumulated', 'y');
    });
  });

  describe('softmax and log-softmax', () => {
    const cases = { softmax: reference.softmaxForward, logSoftmax: reference.logSoftmaxForward } as const;
    const backward = { softmax: reference.softmaxBackward, logSoftmax: reference.logSoftmaxBackward } as const;
    describe.each(['softmax', 'logSoftmax'] as const)('%s', (name) => {
      it.each([1, 2, 10, 16, ...ODD_SIZES, 1000])('%i columns', async (columns) => {
        const x = random32(1, [5, columns], -8, 8);
        await checkOperation(backend, name, {
          inputs: [x],
          run: (t) => ops[name](t as Tensor),
          expected: cases[name](x),
          backward: (grad) => [backward[name](x, grad)],
          kind: 'accumulated',
        });
      });

      it('large logits do not overflow; leading axes are kept', async () => {
        const x = new Array64([2, 1, 3], [1e4, 1e4 - 1, -1e4, -1e30, 1e30, 0]);
        const y = ops[name](onDevice(backend, x));
        expect([...y.shape]).toEqual([2, 1, 3]);
        expectNear(await y.data(), cases[name](x.reshape(2, 3)).reshape(2, 1, 3), 'accumulated', name);
      });
    });
  });

  describe('dropout', () => {
    it.each([1, 4, 5, ...ODD_SIZES, 10_000])('%i elements: the masks of the reference', async (count) => {
      const x = random32(1, [count], 0.5, 2);
      for (const probability of [0, 0.1, 0.5, 0.99]) {
        const stream = { seed: 42, offset: 7 };
        const dropped = (grad: Array64) => reference.dropout(grad, probability, stream);
        await checkOperation(backend, `dropout ${probability}`, {
          inputs: [x],
          run: (t) => {
            const generator = new Generator(0);
            generator.restore(stream);
            return ops.dropout(t as Tensor, probability, generator);
          },
          expected: dropped(x),
          backward: (grad) => [dropped(grad)],
        });
      }
    });

    it('two calls draw different masks; the same seed draws the same', async () => {
      const x = onDevice(backend, random32(1, [1000], 1, 2));
      const generator = new Generator(3);
      const first = await ops.dropout(x, 0.5, generator).data();
      const second = await ops.dropout(x, 0.5, generator).data();
      expect([...first]).not.toEqual([...second]);
      generator.setSeed(3);
      expectSameBits(await ops.dropout(x, 0.5, generator).data(), first, 'the same seed');
    });
  });

  describe('moving elements', () => {
    it.each([0, 1, 2, -1])('concat along axis %i', async (axis) => {
      const at = axis < 0 ? axis + 3 : axis;
      const parts = [3, 1, 17].map((length, i) =>
        random32(
          i + 1,
          [4, 5, 6].map((size, a) => (a === at ? length : size)),
        ),
      );
      await checkOperation(backend, 'concat', {
        inputs: parts,
        run: (...tensors) => ops.concat(tensors, axis),
        expected: rearrange.concatForward(parts, at),
        backward: (grad) => rearrange.concatBackward(parts, at, grad),
      });
    });

    it.each([
      [0, 1, 3],
      [1, 0, 5],
      [2, 2, 33],
      [2, 5, 5],
    ])('slice of axis %i from %i to %i', async (axis, start, end) => {
      const x = random32(1, [4, 5, 33]);
      await checkOperation(backend, 'slice', {
        inputs: [x],
        run: (t) => ops.slice(t as Tensor, axis, start, end),
        expected: rearrange.sliceForward(x, axis, start, end),
        backward: (grad) => [rearrange.sliceBackward(x, axis, start, grad)],
      });
    });

    it('slice counts negative positions from the end', async () => {
      const x = random32(1, [3, 7]);
      const y = ops.slice(onDevice(backend, x), -1, -3, -1);
      expectSameBits(await y.data(), rearrange.sliceForward(x, 1, 4, 6).data, 'slice');
    });

    it('transpose of every pair of axes', async () => {
      const x = random32(1, [3, 17, 2, 19]);
      for (const [first, second] of indices([4, 4])) {
        const [a, b] = [first as number, second as number];
        await checkOperation(backend, `transpose ${a}, ${b}`, {
          inputs: [x],
          run: (t) => ops.transpose(t as Tensor, a, b),
          expected: rearrange.transpose(x, a, b),
          backward: (grad) => [rearrange.transpose(grad, a, b)],
        });
      }
    });

    it('integers move too', async () => {
      const x = integersOnDevice(backend, range(12), [3, 4]);
      expect([...(await ops.transpose(x).data())]).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
      expect([...(await ops.slice(x, 0, 1, 2).data())]).toEqual([4, 5, 6, 7]);
      expect([...(await ops.concat([ops.slice(x, 1, 3), ops.slice(x, 1, 0, 1)], 1).data())]).toEqual([
        3, 0, 7, 4, 11, 8,
      ]);
    });

    it('reshape shares the numbers and passes the gradient', async () => {
      const x = random32(1, [4, 6]);
      await checkOperation(backend, 'reshape', {
        inputs: [x],
        run: (t) => (t as Tensor).reshape(2, -1, 3),
        expected: x.reshape(2, 4, 3),
        backward: (grad) => [grad.reshape(4, 6)],
      });
    });
  });
}
