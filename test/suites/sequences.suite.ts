import { describe, expect, it } from 'vitest';
import { ops, type Tensor } from '../../lib/index.js';
import { Array64, range } from '../reference/array64.js';
import { transpose } from '../reference/rearrange.js';
import * as reference from '../reference/sequences.js';
import { type Backend, checkOperation, onDevice } from './backend.js';
import { expectNear, ODD_SIZES, random32 } from './checks.js';

interface Operation {
  run: (x: Tensor, steps: number[], options: { timeMajor: boolean }) => Tensor;
  forward: (x: Array64, steps: number[]) => Array64;
  backward: (x: Array64, steps: number[], grad: Array64) => Array64;
  least: number; // the step or length that gives zeros
}

/** Operations along the time of padded sequences. */
export function run(backend: Backend): void {
  const operations: Record<string, Operation> = {
    gatherTime: {
      run: ops.gatherTime,
      forward: reference.gatherTimeForward,
      backward: reference.gatherTimeBackward,
      least: -1,
    },
    maskedMean: {
      run: ops.maskedMean,
      forward: reference.maskedMeanForward,
      backward: reference.maskedMeanBackward,
      least: 0,
    },
    maskedMax: {
      run: ops.maskedMax,
      forward: reference.maskedMaxForward,
      backward: reference.maskedMaxBackward,
      least: 0,
    },
  };

  describe.each(Object.keys(operations))('%s', (name) => {
    const { run: operation, forward, backward, least } = operations[name] as Operation;

    async function check(x: Array64, steps: number[]): Promise<void> {
      for (const timeMajor of [true, false]) {
        const laidOut = (array: Array64) => (timeMajor ? array : transpose(array, 0, 1));
        await checkOperation(backend, `${name}, timeMajor ${timeMajor}`, {
          inputs: [laidOut(x)],
          run: (t) => operation(t as Tensor, steps, { timeMajor }),
          expected: forward(x, steps),
          backward: (grad) => [laidOut(backward(x, steps, grad))],
          kind: 'accumulated',
        });
      }
    }

    it.each([1, 3, 16, ...ODD_SIZES])('%i features', (features) =>
      check(random32(1, [6, 4, features]), [least, least + 1, least + 6, least + 3]),
    );
    it.each(ODD_SIZES)('%i rows', (batch) =>
      check(
        random32(2, [5, batch, 3]),
        range(batch).map((b) => least + (b % 6)),
      ),
    );
    it.each(ODD_SIZES)('%i steps', (time) => check(random32(3, [time, 2, 5]), [least + time, least + 1]));

    it('what stands in the padding is not seen', async () => {
      const x = random32(4, [4, 2, 19]);
      const steps = [least + 2, least + 4];
      const expected = forward(x, steps);
      for (const f of range(19)) for (const t of [2, 3]) x.set(f % 2 ? Number.NaN : 1e30, t, 0, f);
      const y = operation(onDevice(backend, x), steps, { timeMajor: true });
      expectNear(await y.data(), expected, 'accumulated', name);
    });

    it('steps outside the sequence, and too few of them, are refused', () => {
      const x = onDevice(backend, random32(5, [4, 2, 3]));
      for (const steps of [[least - 1, 1], [1, least + 5], [1], [1, 1.5]]) {
        expect(() => operation(x, steps, { timeMajor: true }), String(steps)).toThrow(RangeError);
      }
    });
  });

  it('maskedMax takes the first of equal values, and NaN where one is', async () => {
    const x = new Array64(
      [3, 1, 20],
      range(60).map((i) => (i % 20 === 7 && i > 20 ? Number.NaN : i < 20 ? 1 : i % 3)),
    );
    await checkOperation(backend, 'maskedMax', {
      inputs: [x],
      run: (t) => ops.maskedMax(t as Tensor, [3], { timeMajor: true }),
      expected: reference.maskedMaxForward(x, [3]),
      backward: (grad) => [reference.maskedMaxBackward(x, [3], grad)],
    });
  });

  it.each([1, 3, ...ODD_SIZES])(
    'argmax over %i columns: the first of equal ones, or the first NaN',
    async (columns) => {
      const x = random32(6, [2, 3, columns]).map((value) => Math.round(3 * value));
      if (columns > 3) x.set(Number.NaN, 1, 2, 2);
      const expected = range(6).map((row) => {
        const values = [...x.data.slice(row * columns, (row + 1) * columns)];
        const nan = values.findIndex(Number.isNaN);
        return nan >= 0 ? nan : values.indexOf(Math.max(...values));
      });
      const found = ops.argmax(onDevice(backend, x));
      expect([...found.shape]).toEqual([2, 3]);
      expect([...(await found.data())]).toEqual(expected);
    },
  );
}
