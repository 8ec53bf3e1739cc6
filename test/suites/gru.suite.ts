import { describe, expect, it } from 'vitest';
import { type Array64, item, range } from '../reference/array64.js';
import { resetAfterCases, resetBeforeCases } from '../reference/golden.js';
import { gruBackward, gruForward } from '../reference/gru.js';
import { type Backend, expectSame } from './backend.js';
import { expectNear, expectSameBits, ODD_SIZES, type ResultKind, random32 } from './checks.js';
import { CELL_PARAMETERS, checkGru, expectGradients } from './gru_check.js';
import { type GruSettings, gruProblem, takeRows, takeSteps } from './gru_problem.js';
import { runGru } from './gru_runner.js';

/** The fused recurrent stack: golden values, and the cases in which implementations have been wrong. */
export function run(backend: Backend): void {
  describe('golden values', () => {
    const cases = [...resetAfterCases(), ...resetBeforeCases()].map((golden) => [golden.name, golden] as const);
    it.each(cases)('%s', async (_, golden) => {
      for (const timeMajor of [true, false]) {
        const { outputGrad, hiddenGrad } = golden;
        const actual = await runGru(backend, golden.problem, {
          timeMajor,
          outputGrad,
          ...(hiddenGrad && { hiddenGrad }),
        });
        expectNear(actual.output.data, golden.output, 'accumulated', 'output');
        if (golden.hidden) expectNear(actual.hidden.data, golden.hidden, 'accumulated', 'hidden');
        expectGradients(actual.grads, {
          x: golden.xGrad,
          initialHidden: golden.initialHiddenGrad,
          weights: golden.weightGrads,
        });
      }
    });
  });

  describe.each([
    ['reset after', false],
    ['reset before', true],
  ])('%s', (_, resetBefore) => {
    const check = (settings: GruSettings, kind?: ResultKind) =>
      checkGru(backend, gruProblem({ resetBefore, ...settings }), kind);

    it('the recurrent bias of the candidate is used, and under the reset gate', async () => {
      const problem = gruProblem({ resetBefore, time: 3, batch: 2, inputSize: 4, hiddenSize: 5 });
      const { biasHh } = item(problem.weights, 0) as { biasHh: Array64 };
      for (const i of range(15)) biasHh.set(i < 10 ? 0 : 2, i);
      await checkGru(backend, problem);
    });

    it('no bias, batch of 3 and more', async () => {
      await check({ time: 5, batch: 3, inputSize: 6, hiddenSize: 7, bias: false });
      await check({ time: 2, batch: 21, inputSize: 6, hiddenSize: 18, bias: false });
    });

    it('no initial state', () => check({ time: 4, batch: 3, inputSize: 5, hiddenSize: 9, initialHidden: false }));

    it('the gradient of the reset gate uses the gate, not its argument', () =>
      check({ time: 4, batch: 3, inputSize: 6, hiddenSize: 8, weightScale: 3, inputScale: 2 }));

    it('each gate is taken from its own third', async () => {
      for (const gate of range(3)) {
        const problem = gruProblem({ resetBefore, time: 3, batch: 2, inputSize: 4, hiddenSize: 6 });
        const { weightIh, weightHh } = item(problem.weights, 0);
        for (const row of range(18)) {
          if (Math.floor(row / 6) === gate) continue;
          for (const i of range(4)) weightIh.set(0, row, i);
          for (const i of range(6)) weightHh.set(0, row, i);
        }
        await checkGru(backend, problem);
      }
    });

    it('inputs wider and narrower than the state', async () => {
      await check({ time: 3, batch: 4, inputSize: 37, hiddenSize: 8 });
      await check({ time: 3, batch: 4, inputSize: 1, hiddenSize: 24 });
    });

    it('lengths of 0, 1 and T mixed', async () => {
      const sizes = { time: 6, batch: 5, inputSize: 4, hiddenSize: 10, lengths: [6, 0, 1, 6, 3] };
      await check(sizes);
      await check({ ...sizes, layers: 3 });
      await check({ ...sizes, directions: 2 });
      await check({ ...sizes, layers: 2, directions: 2 });
    });

    it('no row reaches the last step, and all are empty', async () => {
      await check({ time: 7, batch: 3, inputSize: 4, hiddenSize: 6, lengths: [2, 4, 3], layers: 2, directions: 2 });
      await check({ time: 3, batch: 2, inputSize: 4, hiddenSize: 6, lengths: [0, 0], directions: 2 });
    });

    it('many lengths in a large batch', () =>
      check({
        time: 9,
        batch: 37,
        inputSize: 5,
        hiddenSize: 20,
        lengths: range(37).map((b) => (b * 7) % 10),
        directions: 2,
      }));

    it('a row of length 0 returns its initial state', async () => {
      const problem = gruProblem({
        resetBefore,
        time: 4,
        batch: 3,
        inputSize: 4,
        hiddenSize: 6,
        layers: 2,
        directions: 2,
        lengths: [2, 0, 4],
      });
      const { hidden } = await runGru(backend, problem, { timeMajor: true });
      expectSameBits(takeRows(hidden, [1]).data, takeRows(problem.initialHidden as Array64, [1]).data, 'hidden');
    });

    it('the reversed direction starts at each row’s last valid step', async () => {
      const lengths = [5, 2, 4];
      const problem = gruProblem({
        resetBefore,
        time: 5,
        batch: 3,
        inputSize: 4,
        hiddenSize: 6,
        directions: 2,
        lengths,
      });
      const { output } = await runGru(backend, problem, { timeMajor: true });
      for (const [row, length] of lengths.entries()) {
        const short = {
          ...problem,
          lengths: null,
          x: takeSteps(takeRows(problem.x, [row]), 0, length),
          initialHidden: takeRows(problem.initialHidden as Array64, [row]),
        };
        const alone = await runGru(backend, short, { timeMajor: true });
        expectSame(backend, takeSteps(takeRows(output, [row]), 0, length).data, alone.output, `row ${row}`);
      }
    });

    it('padded steps: outputs are 0; what stands in x and in the incoming gradient is ignored', async () => {
      const lengths = [3, 0, 5, 1];
      const problem = gruProblem({
        resetBefore,
        time: 5,
        batch: 4,
        inputSize: 3,
        hiddenSize: 17,
        layers: 2,
        directions: 2,
        lengths,
      });
      const shape = [5, 4, 34];
      const outputGrad = random32(503, shape);
      const clean = await runGru(backend, problem, { timeMajor: true, outputGrad });
      const soil = (array: Array64) => {
        const [time, batch, features] = array.shape as [number, number, number];
        const soiled = array.copy();
        for (const t of range(time)) {
          for (const b of range(batch)) {
            if (t >= item(lengths, b)) for (const f of range(features)) soiled.set(f % 2 ? 1e30 : Number.NaN, t, b, f);
          }
        }
        return soiled;
      };
      for (const timeMajor of [true, false]) {
        const soiled = { ...problem, x: soil(problem.x) };
        const actual = await runGru(backend, soiled, { timeMajor, outputGrad: soil(outputGrad) });
        expectSameBits(actual.output.data, clean.output.data, 'output');
        expectSameBits(actual.hidden.data, clean.hidden.data, 'hidden');
        expectSameBits(actual.grads.x?.data ?? [], clean.grads.x?.data ?? [], 'gradient of x');
        for (const [cell, weights] of clean.grads.weights.entries()) {
          for (const name of CELL_PARAMETERS) {
            expectSameBits(item(actual.grads.weights, cell)[name]?.data ?? [], weights[name]?.data ?? [], name);
          }
        }
        for (const t of range(5)) {
          for (const b of range(4)) {
            if (t < item(lengths, b)) continue;
            for (const f of range(34)) expect(actual.output.at(t, b, f)).toBe(0);
            for (const i of range(3)) expect(actual.grads.x?.at(t, b, i)).toBe(0);
          }
        }
      }
    });

    describe('odd sizes', () => {
      it.each(ODD_SIZES)('hidden size %i', (hiddenSize) => check({ time: 3, batch: 5, inputSize: 7, hiddenSize }));
      it.each(ODD_SIZES)('input size %i', (inputSize) => check({ time: 2, batch: 3, inputSize, hiddenSize: 9 }));
      it.each(ODD_SIZES)('batch %i', (batch) => check({ time: 2, batch, inputSize: 3, hiddenSize: 10 }));
      it.each(ODD_SIZES)('%i steps', (time) => check({ time, batch: 2, inputSize: 3, hiddenSize: 4, directions: 2 }));
      it('more steps than an implementation projects ahead', () =>
        check({ time: 40, batch: 4, inputSize: 10, hiddenSize: 97, lengths: [40, 7, 33, 40] }));
      it('deep, wide and odd', () =>
        check({
          time: 3,
          batch: 19,
          inputSize: 17,
          hiddenSize: 33,
          layers: 3,
          directions: 2,
          lengths: range(19).map((b) => b % 4),
        }));
    });

    it('T = 1', () => check({ time: 1, batch: 3, inputSize: 4, hiddenSize: 20, layers: 2, directions: 2 }));
    it('B = 1', () => check({ time: 6, batch: 1, inputSize: 4, hiddenSize: 20, layers: 2, directions: 2 }));
    it('H = 1', () => check({ time: 6, batch: 3, inputSize: 4, hiddenSize: 1, layers: 2, directions: 2 }));
    it('T = B = I = H = 1', () => check({ time: 1, batch: 1, inputSize: 1, hiddenSize: 1 }));

    it('saturated gates', () =>
      check({ time: 5, batch: 3, inputSize: 6, hiddenSize: 18, weightScale: 40, inputScale: 3 }, 'amplified'));

    it('gates near 0: the state is almost only the candidate, the candidate sees almost no state', async () => {
      const problem = gruProblem({ resetBefore, time: 4, batch: 3, inputSize: 5, hiddenSize: 18 });
      const { biasIh } = item(problem.weights, 0) as { biasIh: Array64 };
      for (const i of range(36)) biasIh.set(-18, i);
      await checkGru(backend, problem);
    });

    it.each([
      ['±1e20', [1e20, -1e20]],
      ['±infinity', [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
      ['NaN', [Number.NaN]],
    ])('inputs of %s reach only the rows that hold them', async (_, values) => {
      const problem = gruProblem({ resetBefore, time: 4, batch: 6, inputSize: 5, hiddenSize: 19 });
      for (const [i, value] of values.entries()) problem.x.set(value, 1, 2 * i + 1, 3);
      const expected = gruForward(problem);
      const actual = await runGru(backend, problem, { timeMajor: false });
      expectNear(actual.output.data, expected.output, 'accumulated', 'output');
      expectNear(actual.hidden.data, expected.hidden, 'accumulated', 'hidden');
    });

    it('the state carried across calls gives what one call gives', async () => {
      const problem = gruProblem({ resetBefore, time: 7, batch: 3, inputSize: 4, hiddenSize: 21, layers: 2 });
      const whole = await runGru(backend, problem, { timeMajor: true });
      const first = await runGru(backend, { ...problem, x: takeSteps(problem.x, 0, 3) }, { timeMajor: true });
      const second = await runGru(
        backend,
        { ...problem, x: takeSteps(problem.x, 3, 7), initialHidden: first.hidden },
        { timeMajor: true },
      );
      expectSame(backend, first.output.data, takeSteps(whole.output, 0, 3), 'output of the first call');
      expectSame(backend, second.output.data, takeSteps(whole.output, 3, 7), 'output of the second call');
      expectSame(backend, second.hidden.data, whole.hidden, 'hidden');
    });

    it('dropout between layers draws the masks of the reference', async () => {
      const sizes = {
        time: 5,
        batch: 3,
        inputSize: 4,
        hiddenSize: 7,
        layers: 3,
        dropout: { probability: 0.4, seed: 12, offset: 0 },
      };
      await check(sizes);
      await check({ ...sizes, directions: 2, lengths: [5, 0, 2] });
      await check({ ...sizes, directions: 2, dropout: { probability: 0.2, seed: 2 ** 40 + 3, offset: 2 ** 33 + 1 } });
    });

    it('one gradient alone: of the output or of the final state', async () => {
      const problem = gruProblem({
        resetBefore,
        time: 4,
        batch: 3,
        inputSize: 5,
        hiddenSize: 17,
        layers: 2,
        directions: 2,
      });
      const expected = gruForward(problem);
      const outputGrad = random32(504, expected.output.shape);
      const hiddenGrad = random32(505, expected.hidden.shape);
      const byOutput = await runGru(backend, problem, { timeMajor: false, outputGrad });
      expectGradients(byOutput.grads, gruBackward(problem, expected, outputGrad, null));
      const byHidden = await runGru(backend, problem, { timeMajor: false, hiddenGrad });
      expectGradients(byHidden.grads, gruBackward(problem, expected, null, hiddenGrad));
    });

    it.each(['x', 'initialHidden', 'weights'] as const)('a gradient wanted of %s alone', async (only) => {
      const problem = gruProblem({
        resetBefore,
        time: 4,
        batch: 3,
        inputSize: 5,
        hiddenSize: 17,
        layers: 2,
        directions: 2,
      });
      const outputGrad = random32(506, [4, 3, 34]);
      const all = await runGru(backend, problem, { timeMajor: false, outputGrad });
      const alone = await runGru(backend, problem, { timeMajor: false, outputGrad, wanted: [only] });
      for (const other of ['x', 'initialHidden'] as const) {
        if (other !== only) expect(alone.grads[other]).toBeNull();
        else expectSameBits(alone.grads[other]?.data ?? [], all.grads[other]?.data ?? [], other);
      }
      for (const [cell, weights] of all.grads.weights.entries()) {
        for (const name of CELL_PARAMETERS) {
          const grad = item(alone.grads.weights, cell)[name];
          if (only !== 'weights') expect(grad).toBeNull();
          else expectSameBits(grad?.data ?? [], weights[name]?.data ?? [], name);
        }
      }
    });
  });
}
