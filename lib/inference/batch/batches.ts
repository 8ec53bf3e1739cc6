import type { RowBlock, SourceItem } from './source.js';
import { isBad } from './source.js';

// What is held of the input while it waits for rows of like length, and of what becomes of it.
const windowBytes = 16 << 20;
const windowBatches = 8;
// Padding of a batch, at most.
const mostPadding = 0.1;

/**
 * Items in their order, as many as are sorted into batches together.
 *
 * @param outputBytes of a block, about
 */
export async function* windows(
  items: AsyncIterable<SourceItem>,
  batchSize: number,
  outputBytes: (block: RowBlock) => number,
): AsyncGenerator<SourceItem[]> {
  let window: SourceItem[] = [];
  let rows = 0;
  let bytes = 0;
  for await (const item of items) {
    window.push(item);
    rows += isBad(item) ? 1 : item.count;
    bytes += isBad(item) ? 0 : item.data.byteLength + outputBytes(item);
    if (rows < windowBatches * batchSize && bytes < windowBytes) continue;
    yield window;
    window = [];
    rows = bytes = 0;
  }
  if (window.length > 0) yield window;
}

/**
 * Blocks that are computed together: of like length, so that padding stays below 10% of each batch, and of equal shapes where the model
 * takes no lengths.
 *
 * @param timeAxis which axis of a row is the time; -1: none
 */
export function batchesOf(
  blocks: readonly RowBlock[],
  { batchSize, timeAxis, takesLengths }: { batchSize: number; timeAxis: number; takesLengths: boolean },
): RowBlock[][] {
  const time = ({ shape }: RowBlock) => shape[timeAxis] ?? 1;
  const sorted = [...blocks].sort((a, b) => time(a) - time(b));
  const batches: RowBlock[][] = [];
  let batch: RowBlock[] = [];
  let rows = 0;
  let steps = 0; // without padding
  for (const block of sorted) {
    const padded = (rows + block.count) * time(block);
    const isTooMuch = padded - steps - block.count * time(block) > (takesLengths ? mostPadding * padded : 0);
    if (batch.length > 0 && (rows + block.count > batchSize || isTooMuch)) {
      batches.push(batch);
      batch = [];
      rows = steps = 0;
    }
    batch.push(block);
    rows += block.count;
    steps += block.count * time(block);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
