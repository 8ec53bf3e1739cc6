import { checkOptions, checkPositiveInteger } from '../../arguments.js';
import type { HostArray } from '../../data/types.js';
import { CudnnGruError } from '../../errors.js';
import type { Module } from '../../layers/module.js';
import type { DeviceName } from '../../tensor/device.js';
import { Turns } from '../../turns.js';
import type { TensorSpec } from '../signature.js';
import { tryBatchSizes } from './batch_size.js';
import { computeRows } from './compute_rows.js';
import { Executors } from './executors.js';
import { RowChecker, type RowValues } from './row_values.js';
import { isBad, refuseRow, type SourceItem } from './source.js';

export interface BatchOptions {
  /** Rows that are computed together. Default: found by a short trial. */
  batchSize?: number;
  /** Bytes of device memory that a batch may take in the trial. Default: 256 MiB. */
  memoryLimit?: number;
  /** Devices that share the work. Default: the one that the model is on. */
  devices?: readonly (DeviceName | 'auto')[];
  /** Stops the work. */
  signal?: AbortSignal;
}

/** @internal */
export const batchOptions = ['batchSize', 'memoryLimit', 'devices', 'signal'];

export interface PredictedRow {
  /** Counted from 1. */
  readonly row: number;
  /** By the names of the model's outputs, without the axis of the batch. */
  readonly outputs: Readonly<Record<string, HostArray>>;
}

/**
 * What a model makes of each row of a stream, in its order. Rows are computed in batches of like length; what is not taken yet holds back
 * the reading.
 *
 * @param rows nested arrays of numbers, or { data, shape }: one input of the model each
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` with the row's number, `ERR_UNSUPPORTED` for a model with several inputs,
 * `ERR_ABORTED`, those of the operations
 */
export async function* predictRows(
  model: Module,
  rows: AsyncIterable<unknown> | Iterable<unknown>,
  options: BatchOptions = {},
): AsyncGenerator<PredictedRow> {
  checkOptions(options, 'options', batchOptions);
  const executors = await Executors.of(model, options.devices ?? []);
  try {
    const { outputs: specs } = executors.signature;
    const items = itemsOf(rows, new RowChecker(onlyInput(executors.signature.inputs)));
    const started = await withBatchSize(items, executors, options);
    for await (const window of computeRows(started.items, executors, { ...options, ...started })) {
      for (const { item, outputs } of window) {
        if (isBad(item)) refuseRow('rows', item);
        const own = specs.map(({ name }, i) => {
          const { data, shape } = outputs[i] as HostArray;
          return [name, { data: data.slice(), shape: shape.slice(1) }] as const;
        });
        yield { row: item.row, outputs: Object.fromEntries(own) };
      }
    }
  } finally {
    executors.dispose();
  }
}

/** @internal */
export function onlyInput(inputs: readonly TensorSpec[]): TensorSpec {
  if (inputs.length === 1) return inputs[0] as TensorSpec;
  const names = inputs.map(({ name }) => name).join(', ');
  throw new CudnnGruError('ERR_UNSUPPORTED', `rows hold one input, and the model has ${inputs.length}: ${names}`);
}

/** @internal The batch size asked for, or one that is tried on the first row; with the items, none of which is lost. */
export async function withBatchSize(
  items: AsyncIterable<SourceItem>,
  executors: Executors,
  { batchSize, memoryLimit = 256 << 20 }: BatchOptions,
): Promise<{ batchSize: number; items: AsyncIterable<SourceItem> }> {
  checkPositiveInteger(memoryLimit, 'memoryLimit');
  if (batchSize !== undefined) return { batchSize: checkPositiveInteger(batchSize, 'batchSize'), items };
  const iterator = items[Symbol.asyncIterator]();
  const first: SourceItem[] = [];
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    first.push(next.value);
    if (!isBad(next.value)) break;
  }
  const example = first.at(-1);
  const size = example && !isBad(example) ? await tryBatchSizes(executors, example, memoryLimit) : 1;
  async function* all(): AsyncGenerator<SourceItem> {
    yield* first;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { batchSize: size, items: all() };
}

async function* itemsOf(
  rows: AsyncIterable<unknown> | Iterable<unknown>,
  checker: RowChecker,
): AsyncGenerator<SourceItem> {
  let row = 0;
  const turns = new Turns();
  for await (const value of rows) {
    row++;
    const values = valuesOf(value, checker);
    yield 'reason' in values ? { row, reason: values.reason, end: 0 } : { row, count: 1, ...values, end: 0 };
    if (turns.due) await turns.next();
  }
}

function valuesOf(value: unknown, checker: RowChecker): RowValues {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return checker.fromNested(value);
  const { data, shape } = value as Partial<HostArray>;
  return data instanceof Float32Array || data instanceof Int32Array
    ? checker.fromArray({ data, shape: Array.isArray(shape) ? shape : [data.length] })
    : { reason: 'it is neither nested arrays of numbers nor { data, shape }' };
}
