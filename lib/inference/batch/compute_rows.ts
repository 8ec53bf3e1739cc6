import { CudnnGruError } from '../../errors.js';
import type { HostTensors } from '../compute_batch.js';
import { batchesOf, windows } from './batches.js';
import type { Executors } from './executors.js';
import { isBad, type RowBlock, type SourceItem } from './source.js';

/** An item of the input with what the model makes of it; no outputs for a bad row. */
export interface Computed {
  readonly item: SourceItem;
  /** Those that are wanted, in their order: [count, ...] each. */
  readonly outputs: HostTensors;
}

// Windows that are read, computed and handed on at the same time.
const windowsAtOnce = 2;

/**
 * Computes rows in batches and gives them back in their order. What is not taken holds back the reading.
 *
 * @param wanted which of the signature's outputs are read. Default: all
 */
export async function* computeRows(
  items: AsyncIterable<SourceItem>,
  executors: Executors,
  {
    batchSize,
    signal,
    wanted = executors.signature.outputs.map((_, output) => output),
  }: { batchSize: number; signal?: AbortSignal | undefined; wanted?: readonly number[] },
): AsyncGenerator<Computed[]> {
  const running: Promise<Computed[]>[] = [];
  const timeAxis = timeAxisOf(executors);
  const outputBytes = ({ shape, count }: RowBlock) =>
    wanted.reduce((sum, output) => {
      const axes = executors.signature.outputs[output]?.shape.slice(1) ?? [];
      const sizes = axes.map((axis) => (axis === 'time' ? (shape[timeAxis] ?? 1) : Number(axis)));
      return sum + 4 * count * sizes.reduce((product, size) => product * size, 1);
    }, 0);
  try {
    for await (const window of windows(items, batchSize, outputBytes)) {
      throwIfAborted(signal);
      const computing = computeWindow(window, executors, { batchSize, wanted });
      computing.catch(() => undefined); // answered when it is awaited
      running.push(computing);
      if (running.length > windowsAtOnce) yield (await running.shift()) as Computed[];
    }
    while (running.length > 0) {
      throwIfAborted(signal);
      yield (await running.shift()) as Computed[];
    }
  } finally {
    await Promise.allSettled(running);
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CudnnGruError('ERR_ABORTED', 'stopped by the signal', { cause: signal.reason });
}

// Of a row; -1: it has none.
function timeAxisOf({ signature: { inputs } }: Executors): number {
  return (inputs[0]?.shape.indexOf('time') ?? 0) - 1;
}

async function computeWindow(
  items: readonly SourceItem[],
  executors: Executors,
  { batchSize, wanted }: { batchSize: number; wanted: readonly number[] },
): Promise<Computed[]> {
  const { takesLengths } = executors.signature;
  const timeAxis = timeAxisOf(executors);
  const blocks = items.filter((item): item is RowBlock => !isBad(item));
  const outputs = new Map<SourceItem, HostTensors>();
  const compute = async (batch: readonly RowBlock[]) => {
    const calls = batch.map(({ data, count, shape }) => [{ data, shape: [count, ...shape] }]);
    const results = await executors.compute(calls, wanted);
    for (const [i, block] of batch.entries()) outputs.set(block, results[i] as HostTensors);
  };
  await Promise.all(batchesOf(blocks, { batchSize, timeAxis, takesLengths }).map(compute));
  return items.map((item) => ({ item, outputs: outputs.get(item) ?? [] }));
}
