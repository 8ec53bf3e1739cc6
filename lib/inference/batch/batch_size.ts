import type { NumericArray } from '../../data/types.js';
import { devices } from '../../tensor/device.js';
import type { Executors } from './executors.js';

const [least, most] = [32, 1024];
// Speeds that are as good as equal.
const equal = 0.97;
// Longer batches gain nothing: while one is computed, JavaScript has time enough to make the next ready.
const longestBatchMilliseconds = 40;
const longestTrialMilliseconds = 1500;

/**
 * The batch size by a short trial: the largest of 32, 64, … that is not slower for each row than another one, within a limit of device memory and
 * 40 ms. Results do not depend on it.
 *
 * @param row an example of the rows
 * @param memoryLimit bytes that a batch may take on a device
 */
export async function tryBatchSizes(
  executors: Executors,
  row: { shape: readonly number[]; data: NumericArray },
  memoryLimit: number,
): Promise<number> {
  const reserved = () => devices().reduce((sum, { memory }) => sum + (memory?.bytesReserved ?? 0), 0);
  const before = reserved();
  const width = row.shape.reduce((product, size) => product * size, 1);
  const start = performance.now();
  const rates = new Map<number, number>();
  for (let size = least; size <= most; size *= 2) {
    const data = new (row.data.constructor as Float32ArrayConstructor)(size * width);
    for (let i = 0; i < size; i++) data.set(row.data.subarray(0, width), i * width);
    const call = [[{ data, shape: [size, ...row.shape] }]];
    await executors.compute(call);
    const time = await shortest(() => executors.compute(call));
    if (size > least && (reserved() - before > memoryLimit || time > longestBatchMilliseconds)) break;
    rates.set(size, size / time);
    if (performance.now() - start > longestTrialMilliseconds) break;
  }
  const best = Math.max(...rates.values());
  return Math.max(...[...rates].filter(([, rate]) => rate >= equal * best).map(([size]) => size));
}

// Milliseconds: of several calls, where they are short.
async function shortest(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let best = Number.POSITIVE_INFINITY;
  for (let began = start; began - start < 5; ) {
    await work();
    const now = performance.now();
    best = Math.min(best, now - began);
    began = now;
  }
  return best;
}
