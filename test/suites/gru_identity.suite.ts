import { describe, it } from 'vitest';
import { getThreads, setThreads } from '../../lib/index.js';
import { item, range } from '../reference/array64.js';
import type { Backend } from './backend.js';
import { expectSameBits, random32 } from './checks.js';
import { gruProblem, rowsOf, takeRows } from './gru_problem.js';
import { runGru, streamGru } from './gru_runner.js';

export function unsuited(backend: Backend): string {
  return backend.exact ? '' : 'only the CPU promises the same bits however the work is cut';
}

/** `gru` forward gives the same bits whatever the batch, the number of threads, and the way in which a sequence is cut. */
export function run(backend: Backend): void {
  async function withThreads(count: number, body: () => Promise<void>): Promise<void> {
    const before = getThreads();
    setThreads(count);
    try {
      await body();
    } finally {
      setThreads(before);
    }
  }

  describe.each([
    ['reset after', false],
    ['reset before', true],
  ])('the same bits, %s', (_, resetBefore) => {
    it.each([
      ['small', { time: 5, batch: 37, inputSize: 7, hiddenSize: 33 }],
      ['one input', { time: 4, batch: 19, inputSize: 1, hiddenSize: 20 }],
      ['wide', { time: 3, batch: 65, inputSize: 129, hiddenSize: 79 }],
      [
        'stacked, both directions, lengths',
        {
          time: 6,
          batch: 17,
          inputSize: 5,
          hiddenSize: 19,
          layers: 2,
          directions: 2 as const,
          lengths: range(17).map((b) => b % 7),
        },
      ],
      ['long and wide, lengths', { time: 40, batch: 5, inputSize: 33, hiddenSize: 257, lengths: [40, 3, 0, 29, 38] }],
    ])('a row alone, in any part of a batch, in any order: %s', async (_, settings) => {
      const problem = gruProblem({ resetBefore, ...settings });
      const whole = await runGru(backend, problem, { timeMajor: true });
      const batch = settings.batch;
      for (const rows of [
        [0],
        [batch - 1],
        range(batch).slice(3, 9),
        range(batch).slice(1, 16),
        range(batch).reverse(),
      ]) {
        for (const timeMajor of [true, false]) {
          const part = await runGru(backend, rowsOf(problem, rows), { timeMajor });
          expectSameBits(part.output.data, takeRows(whole.output, rows).data, `output of rows ${rows}`);
          expectSameBits(part.hidden.data, takeRows(whole.hidden, rows).data, `hidden of rows ${rows}`);
        }
      }
    });

    it.each([
      ['one row', { time: 9, batch: 1, inputSize: 17, hiddenSize: 130 }],
      ['few rows', { time: 6, batch: 3, inputSize: 17, hiddenSize: 257 }],
      ['many rows', { time: 5, batch: 129, inputSize: 9, hiddenSize: 31 }],
      [
        'stacked, both directions',
        { time: 6, batch: 5, inputSize: 8, hiddenSize: 48, layers: 3, directions: 2 as const },
      ],
    ])('1, 2, 3 threads and more than there are CPUs: %s', async (_, settings) => {
      const problem = gruProblem({ resetBefore, ...settings });
      const { time, batch, hiddenSize } = settings;
      const directions = 'directions' in settings ? settings.directions : 1;
      const outputGrad = random32(601, [time, batch, directions * hiddenSize]);
      const one = () => runGru(backend, problem, { timeMajor: false, outputGrad });
      const expected = await one();
      for (const threads of [1, 2, 3, 4, 16]) {
        await withThreads(threads, async () => {
          const actual = await one();
          expectSameBits(actual.output.data, expected.output.data, `output, ${threads} threads`);
          expectSameBits(actual.hidden.data, expected.hidden.data, `hidden, ${threads} threads`);
          expectSameBits(actual.grads.x?.data ?? [], expected.grads.x?.data ?? [], `gradient of x, ${threads} threads`);
          for (const [cell, grads] of expected.grads.weights.entries()) {
            for (const name of ['weightIh', 'weightHh', 'biasIh', 'biasHh'] as const) {
              const actualGrad = item(actual.grads.weights, cell)[name];
              expectSameBits(
                actualGrad?.data ?? [],
                grads[name]?.data ?? [],
                `gradient of ${name}, ${threads} threads`,
              );
            }
          }
        });
      }
    });

    it.each([
      ['one row', { time: 12, batch: 1, inputSize: 7, hiddenSize: 65 }],
      ['five rows', { time: 7, batch: 5, inputSize: 3, hiddenSize: 33 }],
      ['stacked', { time: 8, batch: 2, inputSize: 6, hiddenSize: 24, layers: 3 }],
      ['long and wide', { time: 60, batch: 3, inputSize: 17, hiddenSize: 257 }],
      ['no initial state', { time: 5, batch: 2, inputSize: 6, hiddenSize: 18, initialHidden: false }],
    ])('step by step or the whole sequence: %s', async (_, settings) => {
      const problem = gruProblem({ resetBefore, ...settings });
      const whole = await runGru(backend, problem, { timeMajor: true });
      const streamed = await streamGru(backend, problem);
      expectSameBits(streamed.output.data, whole.output.data, 'output');
      expectSameBits(streamed.hidden.data, whole.hidden.data, 'hidden');
    });
  });
}
