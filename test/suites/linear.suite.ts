import { describe, expect, it } from 'vitest';
import { getThreads, Linear, ops, setThreads, type Tensor } from '../../lib/index.js';
import { Array64, item } from '../reference/array64.js';
import { golden } from '../reference/golden.js';
import { linearBackward, linearForward, matmulBackward, matmulForward, transposed } from '../reference/layers.js';
import { type Backend, checkOperation, gradientOf, onDevice } from './backend.js';
import { expectNear, expectSameBits, ODD_SIZES, random32 } from './checks.js';

/** Products of matrices. */
export function run(backend: Backend): void {
  async function checkLinear(rows: number, inputSize: number, outputSize: number, bias = true): Promise<void> {
    const inputs = [random32(1, [rows, inputSize]), random32(2, [outputSize, inputSize])] as [Array64, Array64];
    const biases = bias ? [random32(3, [outputSize])] : [];
    await checkOperation(backend, 'linear', {
      inputs: [...inputs, ...biases],
      run: (x, weight, b) => ops.linear(x as Tensor, weight as Tensor, b),
      expected: linearForward(...inputs, biases[0] ?? null),
      backward: (grad) => Object.values(linearBackward(...inputs, grad)).slice(0, bias ? 3 : 2),
      kind: 'accumulated',
    });
  }

  describe('linear', () => {
    it('golden values', async () => {
      const c = golden('layers').case('linear');
      const leaves = ['x', 'weight', 'bias'].map((name) => onDevice(backend, c.get(name), true));
      const y = ops.linear(...(leaves as [Tensor, Tensor, Tensor]));
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

    it.each([
      [1, 1, 1],
      [1, 300, 1],
      [3, 5, 7],
      [16, 16, 16],
      [64, 48, 96],
      [5, 513, 3],
    ])('%i × %i → %i', (rows, inputSize, outputSize) => checkLinear(rows, inputSize, outputSize));
    it.each(ODD_SIZES)('%i rows', (rows) => checkLinear(rows, 6, 5));
    it.each(ODD_SIZES)('%i inputs', (inputSize) => checkLinear(4, inputSize, 6));
    it.each(ODD_SIZES)('%i outputs', (outputSize) => checkLinear(5, 4, outputSize));
    it('no bias', () => checkLinear(9, 17, 19, false));

    it.each([
      [5, 3],
      [3, 7],
      [1, 6],
    ])('a layer %i → %i, whose bias lies behind its weight at any address', async (inputSize, outputSize) => {
      const layer = new Linear({ inputSize, outputSize, device: backend.device });
      const x = random32(4, [4, inputSize]);
      const [weight, bias] = await Promise.all(
        [layer.weight, layer.bias as Tensor].map(async (tensor) => new Array64(tensor.shape, await tensor.data())),
      );
      const y = layer.forward(onDevice(backend, x));
      expectNear(await y.data(), linearForward(x, weight as Array64, bias as Array64), 'accumulated', 'y');
    });

    it('leading axes are kept', async () => {
      const [x, weight] = [random32(1, [2, 3, 5]), random32(2, [4, 5])];
      const flat = x.reshape(6, 5);
      await checkOperation(backend, 'linear', {
        inputs: [x, weight],
        run: (a, w) => ops.linear(a as Tensor, w as Tensor),
        expected: linearForward(flat, weight, null).reshape(2, 3, 4),
        backward: (grad) => {
          const grads = linearBackward(flat, weight, grad.reshape(6, 4));
          return [grads.x.reshape(2, 3, 5), grads.weight];
        },
        kind: 'accumulated',
      });
    });

    it('NaN and infinity stay in their rows', async () => {
      const [x, weight, bias] = [random32(1, [9, 17]), random32(2, [19, 17]), random32(3, [19])];
      x.set(Number.NaN, 2, 16);
      x.set(Number.POSITIVE_INFINITY, 5, 0);
      const y = ops.linear(onDevice(backend, x), onDevice(backend, weight), onDevice(backend, bias));
      expectNear(await y.data(), linearForward(x, weight, bias), 'accumulated', 'y');
    });

    it('a row’s result does not depend on how many rows and threads there are', async (context) => {
      if (!backend.exact) context.skip('only the CPU promises the same bits however the work is cut');
      const [x, weight, bias] = [random32(1, [131, 67]), random32(2, [77, 67]), random32(3, [77])];
      const outputs = async (rows: Array64) =>
        ops.linear(onDevice(backend, rows), onDevice(backend, weight), onDevice(backend, bias)).data();
      const threads = getThreads();
      const whole = await outputs(x);
      try {
        for (const count of [1, 3, 8]) {
          setThreads(count);
          expectSameBits(await outputs(x), whole, `${count} threads`);
        }
      } finally {
        setThreads(threads);
      }
      for (const row of [0, 1, 64, 130]) {
        const alone = await outputs(new Array64([1, 67], x.data.slice(row * 67, (row + 1) * 67)));
        expectSameBits(alone, whole.slice(row * 77, (row + 1) * 77), `row ${row} alone`);
      }
    });

    it('inner sizes that differ are refused', () => {
      const [x, weight] = [onDevice(backend, new Array64([2, 3])), onDevice(backend, new Array64([4, 5]))];
      expect(() => ops.linear(x, weight)).toThrow(RangeError);
    });
  });

  describe('matmul', () => {
    const flagged = (array: Array64, transpose: boolean) => (transpose ? transposed(array) : array);

    it.each([
      [1, 1, 1, 1],
      [1, 17, 33, 19],
      [3, 5, 7, 4],
      [2, 65, 31, 17],
      [1, 1, 129, 257],
      [4, 16, 16, 16],
    ])('%i of %i × %i × %i, each operand transposed or not', async (batch, m, k, n) => {
      const [a, b] = [random32(1, [batch, m, k]), random32(2, [batch, k, n])];
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) {
          await checkOperation(backend, `matmul, transposeA ${transposeA}, transposeB ${transposeB}`, {
            inputs: [flagged(a, transposeA), flagged(b, transposeB)],
            run: (x, y) => ops.matmul(x as Tensor, y as Tensor, { transposeA, transposeB }),
            expected: matmulForward(a, b),
            backward: (grad) => {
              const [aGrad, bGrad] = matmulBackward(a, b, grad);
              return [flagged(aGrad, transposeA), flagged(bGrad, transposeB)];
            },
            kind: 'accumulated',
          });
        }
      }
    });

    it('one matrix for a whole batch', async () => {
      const [a, b] = [random32(1, [3, 5, 7]), random32(2, [7, 4])];
      const [flat, matrix] = [a.reshape(1, 15, 7), b.reshape(1, 7, 4)];
      await checkOperation(backend, 'matmul', {
        inputs: [a, b],
        run: (x, y) => ops.matmul(x as Tensor, y as Tensor),
        expected: matmulForward(flat, matrix).reshape(3, 5, 4),
        backward: (grad) => {
          const [aGrad, bGrad] = matmulBackward(flat, matrix, grad.reshape(1, 15, 4));
          return [aGrad.reshape(3, 5, 7), bGrad.reshape(7, 4)];
        },
        kind: 'accumulated',
      });
    });
  });
}
