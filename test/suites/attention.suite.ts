import { describe, expect, it } from 'vitest';
import { ops, type Tensor } from '../../lib/index.js';
import { Array64, range } from '../reference/array64.js';
import * as reference from '../reference/attention.js';
import { golden } from '../reference/golden.js';
import { type Backend, checkOperation, gradientOf, onDevice } from './backend.js';
import { expectNear, ODD_SIZES, random32 } from './checks.js';

interface Sizes {
  batch: number;
  queries: number;
  time: number;
  size: number;
  values: number;
}

/** Attention: scores, masked softmax, context. */
export function run(backend: Backend): void {
  it('golden values: scaled dot product with a mask', async () => {
    const c = golden('layers').case('dot_attention');
    const names = ['q', 'k', 'v'] as const;
    const [q, k, v] = names.map((name) => onDevice(backend, c.get(name), true)) as [Tensor, Tensor, Tensor];
    const mask = c.get('mask');
    const lengths = range(mask.size(0)).map((b) => range(mask.size(2)).filter((t) => mask.at(b, 0, t) === 1).length);
    const { context } = ops.dotAttention(q, k, v, { lengths, scale: 1 / Math.sqrt(q.shape[2] as number) });
    expectNear(await context.data(), c.get('y'), 'accumulated', 'context');
    context.backward(onDevice(backend, c.get('dy')));
    for (const [i, leaf] of [q, k, v].entries())
      expectNear(await gradientOf(leaf, 'leaf'), c.get(`grad.${names[i]}`), 'accumulated', `gradient of ${names[i]}`);
  });

  async function check(kind: 'additive' | 'dot', sizes: Sizes, lengths: number[]): Promise<void> {
    const { batch, queries, time, size, values } = sizes;
    const inputs = [
      random32(1, [batch, queries, size]),
      random32(2, [batch, time, size]),
      random32(3, [batch, time, values]),
      kind === 'additive' ? random32(4, [size]) : new Array64([1], [Math.fround(0.7)]),
    ] as [Array64, Array64, Array64, Array64];
    const score = reference.scores[kind];
    await checkOperation(backend, `${kind} attention of ${JSON.stringify(sizes)}`, {
      inputs,
      run: (q, k, v, scale) =>
        (kind === 'additive'
          ? ops.additiveAttention(q as Tensor, k as Tensor, v as Tensor, scale as Tensor, { lengths })
          : ops.dotAttention(q as Tensor, k as Tensor, v as Tensor, { lengths, scale: inputs[3].at(0) })
        ).context,
      expected: reference.attentionForward(score, ...inputs, lengths),
      backward: (grad) => {
        const grads = reference.attentionBackward(score, ...inputs, lengths, grad);
        return kind === 'additive' ? grads : [...grads.slice(0, 3), null];
      },
      kind: 'accumulated',
    });
  }

  describe.each(['additive', 'dot'] as const)('%s attention', (kind) => {
    const sizes: Sizes = { batch: 3, queries: 2, time: 5, size: 7, values: 6 };

    it.each([1, 16, ...ODD_SIZES])('size %i', (size) => check(kind, { ...sizes, size, values: size }, [5, 1, 3]));
    it.each(ODD_SIZES)('%i steps', (time) => check(kind, { ...sizes, time }, [time, 1, time - 3]));
    it.each([17, 33])('%i queries', (queries) => check(kind, { ...sizes, queries }, [5, 2, 4]));
    it('one row, one step', () => check(kind, { batch: 1, queries: 1, time: 1, size: 3, values: 2 }, [1]));
    it('many rows', () =>
      check(
        kind,
        { ...sizes, batch: 65 },
        range(65).map((b) => b % 6),
      ));

    it('weights sum to 1 over the valid steps, are 0 after them, and all 0 for a row without steps', async () => {
      const lengths = [4, 0, 2];
      const [q, k, v] = [[3, 2, 7] as const, [3, 5, 7] as const, [3, 5, 6] as const].map((shape, i) =>
        onDevice(backend, random32(i + 1, shape)),
      ) as [Tensor, Tensor, Tensor];
      const { context, weights } =
        kind === 'additive'
          ? ops.additiveAttention(q, k, v, onDevice(backend, random32(9, [7])), { lengths })
          : ops.dotAttention(q, k, v, { lengths });
      const found = new Array64([3, 2, 5], await weights.data());
      for (const [b, length] of lengths.entries())
        for (const row of range(2)) {
          const values = range(5).map((t) => found.at(b, row, t));
          expect(values.slice(length)).toEqual(new Array(5 - length).fill(0));
          expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(length > 0 ? 1 : 0, 6);
        }
      expect(Array.from(await context.data()).slice(12, 24)).toEqual(new Array(12).fill(0));
    });

    it('what stands in the padding is not seen', async () => {
      const [q, k, v] = [random32(1, [2, 3, 7]), random32(2, [2, 4, 7]), random32(3, [2, 4, 5])] as const;
      const scale = kind === 'additive' ? random32(4, [7]) : new Array64([1], [1]);
      const lengths = [2, 3];
      const expected = reference.attentionForward(reference.scores[kind], q, k, v, scale, lengths);
      for (const array of [k, v]) for (const f of range(5)) array.set(1e10, 0, 3, f);
      const [tq, tk, tv] = [q, k, v].map((array) => onDevice(backend, array)) as [Tensor, Tensor, Tensor];
      const { context } =
        kind === 'additive'
          ? ops.additiveAttention(tq, tk, tv, onDevice(backend, scale), { lengths })
          : ops.dotAttention(tq, tk, tv, { lengths });
      expectNear(await context.data(), expected, 'accumulated', 'context');
    });
  });

  describe('masked softmax', () => {
    it.each([1, 3, ...ODD_SIZES])('%i steps', async (time) => {
      const x = random32(5, [4, 3, time], -8, 8);
      const lengths = [time, 0, 1, Math.ceil(time / 2)];
      await checkOperation(backend, `maskedSoftmax of ${time}`, {
        inputs: [x],
        run: (t) => ops.maskedSoftmax(t as Tensor, lengths),
        expected: reference.maskedSoftmaxForward(x, lengths),
        backward: (grad) => [reference.maskedSoftmaxBackward(x, lengths, grad)],
        kind: 'accumulated',
      });
    });

    it('NaN in the padding is not seen', async () => {
      const x = new Array64([1, 1, 4], [1, 2, Number.NaN, Number.POSITIVE_INFINITY]);
      const y = ops.maskedSoftmax(onDevice(backend, x), [2]);
      expectNear(await y.data(), reference.maskedSoftmaxForward(x, [2]), 'elementwise', 'y');
    });
  });

  it('shapes and lengths that do not fit are refused', () => {
    const of = (...shape: number[]) => onDevice(backend, random32(1, shape));
    const [q, k, v, scale] = [of(2, 3, 7), of(2, 4, 7), of(2, 4, 5), of(7)];
    expect(() => ops.additiveAttention(q, of(2, 4, 6), v, scale)).toThrow(RangeError);
    expect(() => ops.additiveAttention(q, k, v, of(6))).toThrow(RangeError);
    expect(() => ops.dotAttention(q, k, of(2, 3, 5))).toThrow(RangeError);
    expect(() => ops.dotAttention(q, of(1, 4, 7), v)).toThrow(RangeError);
    expect(() => ops.dotAttention(of(3, 7), k, v)).toThrow(RangeError);
    expect(() => ops.dotAttention(q, k, v, { lengths: [5, 1] })).toThrow(RangeError);
    expect(() => ops.dotAttention(q, k, v, { lengths: [1] })).toThrow(RangeError);
    expect(() => ops.dotAttention(q, k, v, { scale: Number.NaN })).toThrow(RangeError);
    expect(() => ops.maskedSoftmax(of(2, 0, 3))).toThrow(RangeError);
  });
}
