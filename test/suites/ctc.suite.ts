import { describe, expect, it } from 'vitest';
import { losses, type Tensor } from '../../lib/index.js';
import { Array64, range } from '../reference/array64.js';
import { type CtcProblem, ctcBackward, ctcForward } from '../reference/ctc.js';
import { golden } from '../reference/golden.js';
import { type Backend, checkOperation, gradientOf, integersOnDevice, onDevice } from './backend.js';
import { expectNear, random32, randomIntegers } from './checks.js';

interface Size {
  time: number;
  classes: number;
  /** Of each row. */
  inputLengths: number[];
  targetLengths: number[];
  blank?: number;
}

// Labels other than the blank, some of them twice in a row.
function problemOf({ time, classes, inputLengths, targetLengths, blank = 0 }: Size, seed: number): CtcProblem {
  const targets = targetLengths.map((length, b) => {
    const drawn = randomIntegers(seed + b, Math.max(1, length), classes - 1).slice(0, length);
    return drawn
      .map((label, i) => (i % 3 === 2 ? (drawn[i - 1] as number) : label))
      .map((c) => (c >= blank ? c + 1 : c));
  });
  const logits = random32(seed, [time, inputLengths.length, classes], -3, 3);
  return { logits, targets, inputLengths, blank, reduction: 'mean', zeroInfinity: false };
}

/** Connectionist temporal classification. */
export function run(backend: Backend): void {
  // Labels are padded with the blank, which is no label: nothing may read them.
  const targetOf = ({ targets, blank }: CtcProblem) => {
    const longest = Math.max(1, ...targets.map((labels) => labels.length));
    const padded = targets.flatMap((labels) => [...labels, ...range(longest - labels.length).map(() => blank)]);
    return integersOnDevice(backend, padded, [targets.length, longest]);
  };
  const lossOf = (problem: CtcProblem, logits: Tensor, timeMajor = true) =>
    losses.ctc(logits, targetOf(problem), {
      timeMajor,
      inputLengths: problem.inputLengths,
      targetLengths: problem.targets.map((labels) => labels.length),
      blank: problem.blank,
      reduction: problem.reduction,
      zeroInfinity: problem.zeroInfinity,
    });
  const check = (problem: CtcProblem, label: string) => {
    const { reduction } = problem;
    return checkOperation(backend, label, {
      inputs: [problem.logits],
      run: (logits) => lossOf(problem, logits as Tensor),
      expected: reduction === 'none' ? ctcForward(problem) : ctcForward(problem).reshape(),
      backward: (grad) => [ctcBackward(problem, reduction === 'none' ? grad : grad.reshape(1))],
      kind: 'accumulated',
    });
  };

  describe('ctc', () => {
    it.each(['ctc0', 'ctc1'])('golden values: %s', async (name) => {
      const c = golden('losses').case(name);
      const logits = onDevice(backend, c.get('logits'), true);
      const target = c.get('target');
      const loss = losses.ctc(logits, integersOnDevice(backend, [...target.data], [...target.shape]), {
        timeMajor: true,
        inputLengths: c.integers('input_lengths'),
        targetLengths: c.integers('target_lengths'),
        zeroInfinity: true,
      });
      expectNear(await loss.data(), c.get('loss'), 'accumulated', 'loss');
      loss.backward();
      expectNear(await gradientOf(logits, 'logits'), c.get('grad.logits'), 'accumulated', 'gradient of logits');
    });

    const sizes: Size[] = [
      { time: 1, classes: 2, inputLengths: [1], targetLengths: [1] },
      { time: 1, classes: 2, inputLengths: [1, 1], targetLengths: [0, 1] },
      { time: 7, classes: 3, inputLengths: [7, 3, 0, 5], targetLengths: [3, 1, 0, 0] },
      { time: 17, classes: 33, inputLengths: [17, 9, 16], targetLengths: [5, 1, 6], blank: 32 },
      {
        time: 31,
        classes: 5,
        inputLengths: range(19).map((b) => 31 - b),
        targetLengths: range(19).map((b) => b % 7),
        blank: 2,
      },
      { time: 65, classes: 29, inputLengths: [65, 60], targetLengths: [20, 19] },
    ];
    it.each(['none', 'sum', 'mean'] as const)('reduction %s', async (reduction) => {
      for (const [i, size] of sizes.entries()) {
        await check({ ...problemOf(size, 10 * i), reduction }, `ctc ${JSON.stringify(size).slice(0, 80)}`);
      }
    });

    it('a target longer than its input: an infinite loss, or none with zeroInfinity', async () => {
      const size = { time: 5, classes: 4, inputLengths: [5, 2, 0, 3], targetLengths: [2, 3, 1, 2] };
      // A label twice in a row needs a blank between.
      const problem = { ...problemOf(size, 3), targets: [[1, 2], [1, 2, 3], [1], [2, 2]] };
      for (const reduction of ['none', 'sum', 'mean'] as const) {
        await check({ ...problem, reduction, zeroInfinity: true }, `zeroInfinity, ${reduction}`);
        await check({ ...problem, reduction }, `infinite, ${reduction}`);
      }
      const tight = { ...problem, inputLengths: [5, 2, 0, 2], reduction: 'none' as const };
      const loss = await lossOf(tight, onDevice(backend, tight.logits)).data();
      expect(Array.from(loss, Number.isFinite)).toEqual([true, false, false, false]);
    });

    it('loses no digits over a long input', async () => {
      // Nearly certain steps, so that the probability of the target itself stays in float64's range.
      const size = { time: 1200, classes: 6, inputLengths: [1200], targetLengths: [40] };
      const problem = problemOf(size, 5);
      for (const t of range(1200)) {
        const slot = Math.floor(t / 30);
        const symbol = t % 30 < 15 ? (problem.targets[0]?.[slot] as number) : 0;
        problem.logits.set(problem.logits.at(t, 0, symbol) + 6, t, 0, symbol);
      }
      expect(ctcForward(problem).at(0)).toBeLessThan(20);
      await check(problem, 'ctc of 1200 steps');
    });

    it('batch-major and time-major are the same numbers', async () => {
      const problem = problemOf({ time: 9, classes: 5, inputLengths: [9, 4], targetLengths: [3, 2] }, 8);
      const swapped = new Array64(
        [2, 9, 5],
        range(90).map((i) => problem.logits.at(Math.floor(i / 5) % 9, Math.floor(i / 45), i % 5)),
      );
      const [major, minor] = [onDevice(backend, problem.logits, true), onDevice(backend, swapped, true)];
      const [a, b] = [lossOf(problem, major), lossOf(problem, minor, false)];
      expect(await b.item()).toBe(await a.item());
      a.backward();
      b.backward();
      const [majorGrad, minorGrad] = [await gradientOf(major, 'logits'), await gradientOf(minor, 'logits')];
      expect(Array.from(minorGrad)).toEqual(
        range(90).map((i) => majorGrad[(Math.floor(i / 5) % 9) * 10 + Math.floor(i / 45) * 5 + (i % 5)]),
      );
    });

    it('a label that is no class, or the blank, is an error where the loss is read', async () => {
      const logits = onDevice(backend, new Array64([1, 4, 3]));
      for (const label of [3, -1, 0]) {
        const loss = losses.ctc(logits, integersOnDevice(backend, [1, label], [1, 2]));
        await expect(loss.item()).rejects.toMatchObject({
          code: 'ERR_INDEX_OUT_OF_RANGE',
          message: expect.stringContaining(`label ${label} of row 0`),
        });
      }
    });

    it('NaN in a valid step reaches the loss, behind the length it does not', async () => {
      const problem = problemOf({ time: 4, classes: 3, inputLengths: [4, 2], targetLengths: [1, 1] }, 2);
      problem.logits.set(Number.NaN, 3, 1, 1);
      const clean = await lossOf({ ...problem, reduction: 'none' }, onDevice(backend, problem.logits)).data();
      expect(Array.from(clean, Number.isNaN)).toEqual([false, false]);
      problem.logits.set(Number.NaN, 3, 0, 1);
      const spoilt = await lossOf({ ...problem, reduction: 'none' }, onDevice(backend, problem.logits)).data();
      expect(Array.from(spoilt, Number.isNaN)).toEqual([true, false]);
    });

    it('bad arguments are refused', () => {
      const logits = onDevice(backend, new Array64([2, 4, 3]));
      const target = integersOnDevice(backend, [1, 2], [2, 1]);
      expect(() => losses.ctc(logits, integersOnDevice(backend, [1, 2, 1], [3, 1]))).toThrow(/target: .*\[2, labels\]/);
      expect(() => losses.ctc(logits, target, { blank: 3 })).toThrow(/blank/);
      expect(() => losses.ctc(logits, target, { inputLengths: [5, 1] })).toThrow(/inputLengths\[0\]/);
      expect(() => losses.ctc(logits, target, { targetLengths: [1] })).toThrow(/targetLengths/);
      expect(() => losses.ctc(logits, target, { targetLengths: [1, 2] })).toThrow(/targetLengths\[1\]/);
      expect(() => losses.ctc(logits, logits)).toThrow(TypeError);
    });
  });
}
