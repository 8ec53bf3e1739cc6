import { describe, expect, it } from 'vitest';
import { GRU, getThreads, noGrad, type QuantizedGRU, setThreads, type Tensor } from '../../lib/index.js';
import { Array64, item, range } from '../reference/array64.js';
import { type GruProblem, gruForward } from '../reference/gru.js';
import type { CellWeights } from '../reference/gru_cell.js';
import { type Precision, quantizeCell, quantizedStep, quantizeWeights } from '../reference/gru_quantized.js';
import { transpose } from '../reference/rearrange.js';
import { type Backend, onDevice } from './backend.js';
import { expectClose, expectSameBits, ODD_SIZES } from './checks.js';
import { type GruSettings, gruProblem, rowsOf, takeRows, takeSteps } from './gru_problem.js';

// What one step may differ from the float64 reference that rounds to the same whole numbers (int8) or bfloat16 values.
const STEP_TOLERANCE = { relative: 0, absolute: 1e-5 };
// And whole sequences from the model in full precision, weights being drawn from ±1 / sqrt(hiddenSize).
const LOSS = { int8: 0.05, bfloat16: 0.02 };

interface Result {
  output: Array64; // [T, B, D * H]
  hidden: Array64;
}

export function unsuited(backend: Backend): string {
  return backend.device === 'cpu' ? '' : 'quantized layers run on the CPU';
}

/** The recurrent stack in low precision, step by step against float64, and the ways in which it must not depend on how it is run. */
export function run(backend: Backend): void {
  const { device } = backend;

  /** The float32 layer of a problem. */
  async function layerOf(problem: GruProblem, timeMajor = true): Promise<GRU> {
    const first = item(problem.weights, 0);
    const layer = new GRU({
      inputSize: problem.x.size(2),
      hiddenSize: first.weightHh.size(1),
      numLayers: problem.weights.length / problem.directions,
      bidirectional: problem.directions === 2,
      bias: first.biasIh !== null,
      timeMajor,
      device,
    });
    const arrays = problem.weights.flatMap(({ weightIh, weightHh, biasIh, biasHh }) =>
      [weightIh, weightHh, biasIh ?? [], biasHh ?? []].flat(),
    );
    const names = [...layer.namedParameters()].map(([name]) => name);
    expect(names).toHaveLength(arrays.length);
    await layer.loadStateDict(
      Object.fromEntries(
        names.map((name, i) => {
          const { shape, data } = item(arrays, i);
          return [name, { shape, data: Float32Array.from(data) }];
        }),
      ),
    );
    return layer;
  }

  async function runModel(model: QuantizedGRU, problem: GruProblem): Promise<Result> {
    const { timeMajor } = model;
    const x = onDevice(backend, timeMajor ? problem.x : transpose(problem.x, 0, 1));
    const initialHidden = problem.initialHidden && onDevice(backend, problem.initialHidden);
    const { output, hidden } = model.forward(x, { initialHidden, lengths: problem.lengths });
    const values = new Array64(output.shape, await output.data());
    return {
      output: timeMajor ? values : transpose(values, 0, 1),
      hidden: new Array64(hidden.shape, await hidden.data()),
    };
  }

  async function runProblem(problem: GruProblem, precision: Precision, timeMajor = true): Promise<Result> {
    return runModel((await layerOf(problem, timeMajor)).quantize(precision), problem);
  }

  /** Every step of a single layer against the reference, which goes on from the state that the device had reached. */
  function checkSteps(problem: GruProblem, precision: Precision, { output, hidden }: Result): void {
    const [time, batch] = [problem.x.size(0), problem.x.size(1)];
    const size = item(problem.weights, 0).weightHh.size(1);
    const expected = new Array64(output.shape);
    const expectedHidden = new Array64(hidden.shape);
    for (const [direction, weights] of problem.weights.entries()) {
      const cell = quantizeCell(weights, precision);
      for (const row of range(batch)) {
        const times = range(problem.lengths?.[row] ?? time);
        if (direction === 1) times.reverse();
        let h = range(size).map((i) => problem.initialHidden?.at(direction, row, i) ?? 0);
        for (const t of times) {
          const x = range(problem.x.size(2)).map((i) => problem.x.at(t, row, i));
          const next = quantizedStep(cell, precision, x, h);
          for (const [i, value] of next.entries()) expected.set(value, t, row, direction * size + i);
          h = range(size).map((i) => output.at(t, row, direction * size + i));
        }
        for (const [i, value] of h.entries()) expectedHidden.set(value, direction, row, i);
      }
    }
    expectClose(output.data, expected.data, STEP_TOLERANCE, 'output');
    expectSameBits(hidden.data, expectedHidden.data, 'hidden');
  }

  describe.each(['int8', 'bfloat16'] as const)('%s', (precision) => {
    async function check(settings: GruSettings): Promise<void> {
      const problem = gruProblem(settings);
      for (const timeMajor of [true, false]) {
        checkSteps(problem, precision, await runProblem(problem, precision, timeMajor));
      }
    }

    it('weights become the reference’s numbers, a row’s side by side', async () => {
      const problem = gruProblem({ time: 1, batch: 1, inputSize: 7, hiddenSize: 5, directions: 2 });
      const state = await (await layerOf(problem)).quantize(precision).stateDict();
      const perWord = precision === 'int8' ? 4 : 2;
      for (const [cell, suffix] of ['l0', 'l0_reverse'].entries()) {
        const weights = item(problem.weights, cell);
        for (const [name, matrix] of [
          [`weight_ih_${suffix}`, weights.weightIh],
          [`weight_hh_${suffix}`, weights.weightHh],
        ] as const) {
          const { shape, data } = state[name] as { shape: number[]; data: Int32Array };
          expect(shape).toEqual([15, Math.ceil(matrix.size(1) / perWord)]);
          const bytes = new DataView(data.buffer);
          for (const row of range(15)) {
            const expected = quantizeWeights(
              range(matrix.size(1)).map((i) => matrix.at(row, i)),
              precision,
            );
            const start = row * item(shape, 1) * 4;
            const actual = range(matrix.size(1)).map((i) => {
              if (precision === 'int8') return bytes.getInt8(start + i);
              const half = new DataView(new ArrayBuffer(4));
              half.setUint16(0, bytes.getUint16(start + 2 * i, true));
              return half.getFloat32(0);
            });
            expect(actual).toEqual(expected.values.map((value) => value + 0));
            if (precision === 'int8') expect(state[`${name}_scale`]?.data[row]).toBe(expected.step);
          }
        }
        expectSameBits(state[`bias_ih_${suffix}`]?.data ?? [], weights.biasIh?.data ?? [], 'bias');
      }
    });

    it('one layer', () => check({ time: 6, batch: 3, inputSize: 6, hiddenSize: 20 }));
    it('both directions, lengths of 0, 1 and T mixed', () =>
      check({ time: 6, batch: 5, inputSize: 4, hiddenSize: 10, lengths: [6, 0, 1, 6, 3], directions: 2 }));
    it('no row reaches the last step, and all are empty', async () => {
      await check({ time: 7, batch: 3, inputSize: 4, hiddenSize: 6, lengths: [2, 4, 3], directions: 2 });
      await check({ time: 3, batch: 2, inputSize: 4, hiddenSize: 6, lengths: [0, 0] });
    });
    it('no bias, no initial state', () =>
      check({ time: 4, batch: 5, inputSize: 9, hiddenSize: 17, bias: false, initialHidden: false }));
    it('T = B = I = H = 1', () => check({ time: 1, batch: 1, inputSize: 1, hiddenSize: 1 }));
    it('saturated gates', () =>
      check({ time: 5, batch: 3, inputSize: 6, hiddenSize: 18, weightScale: 40, inputScale: 3 }));
    it('large and small inputs', async () => {
      await check({ time: 3, batch: 4, inputSize: 9, hiddenSize: 8, inputScale: 1e4 });
      await check({ time: 3, batch: 4, inputSize: 9, hiddenSize: 8, inputScale: 1e-30 });
    });

    describe('odd sizes', () => {
      it.each(ODD_SIZES)('hidden size %i', (hiddenSize) => check({ time: 3, batch: 3, inputSize: 7, hiddenSize }));
      it.each(ODD_SIZES)('input size %i', (inputSize) => check({ time: 2, batch: 3, inputSize, hiddenSize: 9 }));
      it.each(ODD_SIZES)('batch %i', (batch) => check({ time: 2, batch, inputSize: 3, hiddenSize: 10 }));
      it.each([1, 2, 3, 4, 5, 6, 7])('%i rows of panels side by side', (batch) =>
        check({ time: 2, batch, inputSize: 5, hiddenSize: 80 }),
      );
      it('more steps than are projected ahead', () =>
        check({ time: 90, batch: 4, inputSize: 10, hiddenSize: 97, lengths: [90, 7, 83, 90] }));
    });

    it('a stack is its layers one after another', async () => {
      const settings = { time: 6, batch: 5, inputSize: 9, hiddenSize: 19, lengths: [6, 0, 3, 1, 5] };
      const problem = gruProblem({ ...settings, layers: 3, directions: 2 });
      const stack = await runProblem(problem, precision);
      let x = problem.x;
      for (const layer of range(3)) {
        const alone = {
          ...problem,
          x,
          weights: problem.weights.slice(2 * layer, 2 * layer + 2) as CellWeights[],
          initialHidden: takeSteps(problem.initialHidden as Array64, 2 * layer, 2 * layer + 2),
        };
        const result = await runProblem(alone, precision);
        expectSameBits(takeSteps(stack.hidden, 2 * layer, 2 * layer + 2).data, result.hidden.data, `layer ${layer}`);
        x = result.output;
      }
      expectSameBits(stack.output.data, x.data, 'output');
    });

    it('loses little against float32, and something', async () => {
      const problem = gruProblem({ time: 50, batch: 4, inputSize: 32, hiddenSize: 96, layers: 2 });
      const expected = gruForward(problem).output;
      const { output } = await runProblem(problem, precision);
      const largest = output.data.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - item(expected.data, i))),
        0,
      );
      expect(largest).toBeLessThan(LOSS[precision]);
      expect(largest).toBeGreaterThan(1e-5);
    });

    it('a row alone, in any part of a batch, in any order gives the same bits', async () => {
      const batch = 21;
      const lengths = range(batch).map((b) => b % 8);
      const problem = gruProblem({ time: 7, batch, inputSize: 11, hiddenSize: 37, layers: 2, directions: 2, lengths });
      const whole = await runProblem(problem, precision);
      for (const rows of [[7], [batch - 1], range(batch).slice(3, 9), range(batch).reverse()]) {
        const part = await runProblem(rowsOf(problem, rows), precision, false);
        expectSameBits(part.output.data, takeRows(whole.output, rows).data, `output of rows ${rows}`);
        expectSameBits(part.hidden.data, takeRows(whole.hidden, rows).data, `hidden of rows ${rows}`);
      }
    });

    it.each([
      ['one row', { time: 30, batch: 1, inputSize: 130, hiddenSize: 257 }],
      ['few rows, both directions', { time: 9, batch: 3, inputSize: 65, hiddenSize: 257, directions: 2 as const }],
      ['many rows', { time: 9, batch: 129, inputSize: 33, hiddenSize: 65 }],
    ])('1, 2, 3 threads and more than there are CPUs give the same bits: %s', async (_, settings) => {
      const problem = gruProblem(settings);
      const model = (await layerOf(problem)).quantize(precision);
      const before = getThreads();
      try {
        setThreads(1);
        const expected = await runModel(model, problem);
        for (const threads of [2, 3, 16]) {
          setThreads(threads);
          const actual = await runModel(model, problem);
          expectSameBits(actual.output.data, expected.output.data, `output, ${threads} threads`);
          expectSameBits(actual.hidden.data, expected.hidden.data, `hidden, ${threads} threads`);
        }
      } finally {
        setThreads(before);
      }
    });

    it('step by step or the whole sequence gives the same bits', async () => {
      const problem = gruProblem({ time: 9, batch: 2, inputSize: 6, hiddenSize: 70, layers: 2 });
      const model = (await layerOf(problem)).quantize(precision);
      const whole = await runModel(model, problem);
      let { initialHidden } = problem;
      for (const t of range(9)) {
        const one = await runModel(model, { ...problem, x: takeSteps(problem.x, t, t + 1), initialHidden });
        expectSameBits(one.output.data, takeSteps(whole.output, t, t + 1).data, `step ${t}`);
        initialHidden = one.hidden;
      }
      expectSameBits(initialHidden?.data ?? [], whole.hidden.data, 'hidden');
    });

    it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
      'an input of %s reaches only its row',
      async (value) => {
        const problem = gruProblem({ time: 4, batch: 6, inputSize: 5, hiddenSize: 19 });
        const clean = await runProblem(problem, precision);
        problem.x.set(value, 1, 3, 2);
        const { output } = await runProblem(problem, precision);
        const others = [0, 1, 2, 4, 5];
        expectSameBits(takeRows(output, others).data, takeRows(clean.output, others).data, 'the other rows');
        expectSameBits(takeSteps(output, 0, 1).data, takeSteps(clean.output, 0, 1).data, 'the steps before');
        const row = takeSteps(takeRows(output, [3]), 1, 4).data;
        if (precision === 'int8' || Number.isNaN(value)) expect(row.every(Number.isNaN)).toBe(true);
      },
    );

    it('numbers outside the rows’ lengths are not read', async () => {
      const problem = gruProblem({ time: 4, batch: 3, inputSize: 5, hiddenSize: 9, lengths: [4, 2, 0] });
      const clean = await runProblem(problem, precision);
      for (const i of range(5)) problem.x.set(Number.NaN, 3, 1, i);
      const { output } = await runProblem(problem, precision);
      expectSameBits(output.data, clean.output.data, 'output');
    });

    it('has no gradient, and says so', async () => {
      const problem = gruProblem({ time: 2, batch: 1, inputSize: 3, hiddenSize: 4 });
      const model = (await layerOf(problem)).quantize(precision);
      const x = onDevice(backend, problem.x, true);
      expect(() => model.forward(x)).toThrow(expect.objectContaining({ code: 'ERR_NO_GRADIENT' }));
      expect(noGrad(() => model.forward(x)).output.requiresGrad).toBe(false);
      expect(model.parameters().some((parameter: Tensor) => parameter.requiresGrad)).toBe(false);
    });
  });

  it('int8 refuses initial states outside [-1, 1] when the result is asked for; bfloat16 takes them', async () => {
    const problem = gruProblem({ time: 2, batch: 2, inputSize: 3, hiddenSize: 5 });
    for (const value of [1.001, -2, Number.NaN, Number.POSITIVE_INFINITY]) {
      (problem.initialHidden as Array64).set(Math.fround(value), 0, 1, 3);
      await expect(runProblem(problem, 'int8')).rejects.toMatchObject({
        code: 'ERR_UNSUPPORTED',
        message: expect.stringMatching(/initialHidden .*at index 8.*-1 to 1/),
      });
    }
    (problem.initialHidden as Array64).set(-2, 0, 1, 3);
    checkSteps(problem, 'bfloat16', await runProblem(problem, 'bfloat16'));
    for (const value of [1, -1]) {
      (problem.initialHidden as Array64).set(value, 0, 1, 3);
      checkSteps(problem, 'int8', await runProblem(problem, 'int8'));
    }
  });

  it('a state that saturates stays within [-1, 1] and can be handed on', async () => {
    const problem = gruProblem({ time: 200, batch: 2, inputSize: 3, hiddenSize: 33, weightScale: 200, inputScale: 5 });
    const first = await runProblem(problem, 'int8');
    expect(first.hidden.data.every((value) => Math.abs(value) <= 1)).toBe(true);
    await runProblem({ ...problem, initialHidden: first.hidden }, 'int8');
  });

  it('rows of weights that are 0', async () => {
    const problem = gruProblem({ time: 3, batch: 2, inputSize: 4, hiddenSize: 6 });
    for (const i of range(4)) item(problem.weights, 0).weightIh.set(0, 7, i);
    for (const precision of ['int8', 'bfloat16'] as const) {
      checkSteps(problem, precision, await runProblem(problem, precision));
    }
  });
}
