import { expect, it } from 'vitest';
import { batchesOf, windows } from '../../lib/inference/batch/batches.js';
import type { RowBlock, SourceItem } from '../../lib/inference/batch/source.js';
import { range } from '../reference/array64.js';
import { random32 } from '../suites/checks.js';

const features = 3;
// 3,000 sequences of 1 to 400 steps, most of them short.
const blocks: RowBlock[] = random32(1, [3000]).data.reduce<RowBlock[]>((all, value, i) => {
  const steps = 1 + Math.floor(399 * Math.abs(value) ** 3);
  all.push({ row: i + 1, count: 1, shape: [steps, features], data: new Float32Array(steps * features), end: 0 });
  return all;
}, []);
const stepsOf = ({ shape }: RowBlock) => shape[0] as number;

it('padding stays below 10% of every batch, and batches are full where lengths allow it', () => {
  const batches = batchesOf(blocks, { batchSize: 64, timeAxis: 0, takesLengths: true });
  expect(batches.flat()).toHaveLength(blocks.length);
  expect(new Set(batches.flat()).size).toBe(blocks.length);
  for (const batch of batches) {
    const longest = Math.max(...batch.map(stepsOf));
    const steps = batch.reduce((sum, block) => sum + stepsOf(block), 0);
    expect(batch.length).toBeLessThanOrEqual(64);
    expect(1 - steps / (longest * batch.length)).toBeLessThan(0.1);
  }
  expect(batches.length).toBeLessThan(2 * (blocks.length / 64));
});

it('a model that takes no lengths gets batches of one length', () => {
  for (const batch of batchesOf(blocks, { batchSize: 64, timeAxis: 0, takesLengths: false })) {
    expect(new Set(batch.map(stepsOf)).size).toBe(1);
  }
});

it('a window ends by rows or by bytes, those of the results included', async () => {
  async function* items(): AsyncGenerator<SourceItem> {
    for (const i of range(100)) {
      yield { row: 1 + 32 * i, count: 32, shape: [1], data: new Float32Array(32), end: 0 };
    }
  }
  const sizes = async (outputBytes: number) => {
    const found: number[] = [];
    for await (const window of windows(items(), 64, () => outputBytes)) found.push(window.length);
    return found;
  };
  expect(await sizes(0)).toEqual([16, 16, 16, 16, 16, 16, 4]); // 8 × 64 rows
  expect(await sizes(4 << 20)).toEqual(Array(25).fill(4)); // 16 MiB
});
