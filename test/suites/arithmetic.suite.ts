import { describe, expect, it } from 'vitest';
import { ops, type Tensor, tensor } from '../../lib/index.js';
import * as reference from '../reference/arithmetic.js';
import { Array64, item } from '../reference/array64.js';
import { type Backend, checkOperation, gradientOf, onDevice } from './backend.js';
import { expectClose, expectNear, expectSameBits, ODD_SIZES, random32 } from './checks.js';

const EXTREMES = [0, -0, 1e-45, -1e-38, 1e-20, 88, -88, 104, -104, 1e20, -1e20, Infinity, -Infinity, NaN];

/** Elementwise operations, broadcasting, reductions. */
export function run(backend: Backend): void {
  describe('unary operations', () => {
    describe.each(['tanh', 'sigmoid', 'relu'] as const)('%s', (name) => {
      const { value, derivative } = reference.unary[name];

      it.each([1, 2, 7, 16, ...ODD_SIZES, 5000])('%i elements', async (count) => {
        const x = random32(count, [count], -6, 6);
        await checkOperation(backend, name, {
          inputs: [x],
          run: (t) => ops[name](t as Tensor),
          expected: x.map(value),
          backward: (grad) => [x.map((v, i) => derivative(v) * item(grad.data, i))],
          // 1 - y² of a rounded y loses the small digits of the far tails.
          gradientKind: name === 'tanh' ? 'accumulated' : 'elementwise',
        });
      });

      it('zeros, subnormals, infinities and NaN', async () => {
        const x = new Array64([EXTREMES.length], Float32Array.from(EXTREMES));
        const y = await ops[name](onDevice(backend, x)).data();
        expectClose(y, x.map(value).data, { relative: 2e-6, absolute: 1.5e-38 }, name);
      });
    });

    it('sigmoid keeps its left tail, tanh its slope at 0 (relative error)', async () => {
      const tail = random32(1, [1000], -85, -5);
      const small = random32(2, [1000], -1e-3, 1e-3);
      const relative = { relative: 1e-6, absolute: 0 };
      expectClose(
        await ops.sigmoid(onDevice(backend, tail)).data(),
        tail.map((v) => 1 / (1 + Math.exp(-v))).data,
        relative,
        'sigmoid',
      );
      expectClose(await ops.tanh(onDevice(backend, small)).data(), small.map(Math.tanh).data, relative, 'tanh');
    });
  });

  describe.each(['add', 'sub', 'mul', 'div'] as const)('%s', (name) => {
    it.each([
      ['equal shapes', [3, 5], [3, 5]],
      ['one element each', [1], [1]],
      ['a row', [17, 33], [33]],
      ['a column', [17, 33], [17, 1]],
      ['both stretched', [2, 1, 19], [31, 1]],
      ['the first stretched', [7], [2, 3, 7]],
      ['a scalar', [4, 6], []],
      ['middle axes', [2, 3, 1, 5], [3, 4, 1]],
      ['4 axes, alternately', [2, 1, 3, 1], [1, 4, 1, 5]],
      ['long', [3, 4099], [4099]],
    ])('%s', async (_, a, b) => {
      const inputs = [random32(1, a, -2, 2), random32(2, b, 0.5, 2)] as [Array64, Array64];
      await checkOperation(backend, name, {
        inputs,
        run: (x, y) => ops[name](x as Tensor, y as Tensor),
        expected: reference.binaryForward(name, ...inputs),
        backward: (grad) => reference.binaryBackward(name, ...inputs, grad),
        gradientKind: 'accumulated',
      });
    });

    it('a number', async () => {
      const x = random32(3, [5, 7]);
      const number = new Array64([], [0.75]);
      await checkOperation(backend, name, {
        inputs: [x],
        run: (t) => ops[name](t as Tensor, 0.75),
        expected: reference.binaryForward(name, x, number),
        backward: (grad) => [reference.binaryBackward(name, x, number, grad)[0]],
      });
    });

    it('the same tensor twice: both gradients are added', async () => {
      const x = random32(4, [33], 0.5, 2);
      const leaf = onDevice(backend, x, true);
      const grad = random32(5, [33]);
      ops[name](leaf, leaf).backward(onDevice(backend, grad));
      const [first, second] = reference.binaryBackward(name, x, x, grad);
      const both = first.map((value, i) => value + item(second.data, i));
      expectNear(await gradientOf(leaf, name), both, 'accumulated', `${name}(x, x)`);
    });

    it('shapes that do not broadcast are refused with both named', () => {
      const [a, b] = [onDevice(backend, new Array64([2, 3])), onDevice(backend, new Array64([2, 4]))];
      expect(() => ops[name](a, b)).toThrow(RangeError);
      expect(() => ops[name](a, b)).toThrow(/\[2, 3\].*\[2, 4\]/);
    });
  });

  describe('sum and mean', () => {
    it.each([
      ['everything', [3, 5, 7], [0, 1, 2]],
      ['one element', [1], [0]],
      ['the first axis', [33, 17], [0]],
      ['the last axis', [33, 17], [1]],
      ['the middle axis', [3, 31, 5], [1]],
      ['the outer axes', [3, 31, 5], [0, 2]],
      ['the inner axes', [3, 31, 5], [1, 2]],
      ['alternating axes', [3, 4, 5, 6], [0, 2]],
      ['a long vector', [70_001], [0]],
      ['long columns', [4099, 3], [0]],
    ])('%s', async (_, shape, axes) => {
      const x = random32(1, shape);
      const kept = shape.filter((_, axis) => !axes.includes(axis));
      for (const [name, factor] of [
        ['sum', 1],
        ['mean', 1 / axes.reduce((product, axis) => product * item(shape, axis), 1)],
      ] as const) {
        const sums = reference.sumForward(x, axes, factor);
        await checkOperation(backend, name, {
          inputs: [x],
          run: (t) => ops[name](t as Tensor, axes),
          expected: sums.reshape(...kept),
          backward: (grad) => [reference.expand(grad.reshape(...sums.shape), shape, factor)],
          kind: 'accumulated',
          gradientKind: 'elementwise',
        });
      }
    });

    it('small numbers are not lost beside a large one', async () => {
      const x = new Float32Array(100_001).fill(1);
      x[0] = 1e8;
      const total = await ops.sum(tensor(x, [x.length], { device: backend.device })).item();
      expect(Math.abs(total - 100_100_000) / 100_100_000).toBeLessThan(1e-7);
    });
  });

  it('scale: factor · x + offset', async () => {
    const x = random32(1, [79]);
    await checkOperation(backend, 'scale', {
      inputs: [x],
      run: (t) => ops.scale(t as Tensor, -2.5, 0.25),
      expected: x.map((v) => -2.5 * v + 0.25),
      backward: (grad) => [grad.map((g) => -2.5 * g)],
    });
  });

  it('the same bits at every run', async () => {
    const x = random32(1, [257, 65]);
    const once = async () => {
      const leaf = onDevice(backend, x, true);
      ops.sum(ops.mul(ops.tanh(leaf), ops.sigmoid(leaf))).backward();
      return gradientOf(leaf, 'x');
    };
    expectSameBits(await once(), await once(), 'gradient');
  });
}
