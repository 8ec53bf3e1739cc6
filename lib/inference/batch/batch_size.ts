import type { NumericArray } from '../../data/types.js';
import { devices } from '../../tensor/device.js';
import type { Executors } from './executors.js';

const [least, most] = [32, 1024];
// What a larger batch must gain to be worth its memory.
const worthwhile = 1.04;
const longestTrialMilliseconds = 1500;

/**
 * The batch size by a short trial: the smallest of 32, 64, … that is within 4% of the next one's speed, within a limit of device
 * memory. Results do not depend on it.
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
  let best = least;
  let bestRate = 0;
  for (let size = least; size <= most; size *= 2) {
    const data = new (row.data.constructor as Float32ArrayConstructor)(size * width);
    for (let i = 0; i < size; i++) data.set(row.data.subarray(0, width), i * width);
    const call = [[{ data, shape: [size, ...row.shape] }]];
    await executors.compute(call);
    const began = performance.now();
    await executors.compute(call);
    const now = performance.now();
    const rate = size / (now - began);
    if (size > least && reserved() - before > memoryLimit) break;
    if (rate < bestRate * worthwhile) break;
    best = size;
    bestRate = rate;
    if (now - start > longestTrialMilliseconds) break;
  }
  return best;
}
