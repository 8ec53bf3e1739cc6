import { checkBoolean, checkInteger, checkOptions, checkPositiveInteger, checkSeed, wrongKind } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import { RandomStream, range, shuffle } from './random.js';
import type { Batch, BatchPosition, BatchSource, Dataset } from './types.js';

export interface BatchesOptions {
  readonly batchSize: number;
  /** A new order in every epoch, which follows from `seed` and the epoch's number alone. Default false. */
  readonly shuffle?: boolean;
  /** Default 0. */
  readonly seed?: number;
  /** Leave out the last batch of an epoch when it is not full. Default false. */
  readonly dropLast?: boolean;
  /**
   * Put sequences of similar length into one batch, so that less is padded: each run of `bucketSize` batches is
   * sorted by length before it is cut, and with `shuffle` the batches are mixed again. Default 0: no bucketing.
   */
  readonly bucketSize?: number;
}

const OPTIONS = ['batchSize', 'shuffle', 'seed', 'dropLast', 'bucketSize'];

/** Cuts a data set into batches, each example once an epoch. */
export class Batches implements BatchSource {
  readonly dataset: Dataset;
  readonly batchSize: number;
  readonly batchesPerEpoch: number;
  readonly #shuffle: boolean;
  readonly #seed: number;
  readonly #bucketSize: number;
  #epoch = 0;
  #batch = 0;
  // The order of #plannedEpoch: the examples, and where each batch starts and ends in them.
  #plannedEpoch = -1;
  #order: Int32Array = new Int32Array(0);
  #starts: Int32Array = new Int32Array(0);

  /** @throws ERR_DATA when the data set is too small for one batch. */
  constructor(dataset: Dataset, options: BatchesOptions) {
    if (typeof dataset?.get !== 'function')
      throw wrongKind('dataset', 'a Dataset (data.ArrayDataset, data.SequenceDataset, ...)', dataset);
    checkOptions(options, 'options', OPTIONS);
    this.dataset = dataset;
    this.batchSize = checkPositiveInteger(options.batchSize, 'batchSize');
    this.#shuffle = checkBoolean(options.shuffle ?? false, 'shuffle');
    this.#seed = checkSeed(options.seed ?? 0);
    this.#bucketSize = checkInteger(options.bucketSize ?? 0, 'bucketSize', { min: 0 });
    if (this.#bucketSize > 0 && dataset.lengthOf === undefined) {
      throw wrongKind('bucketSize', '0 for a data set without lengthOf()', this.#bucketSize);
    }
    const dropLast = checkBoolean(options.dropLast ?? false, 'dropLast');
    const batches = dataset.length / this.batchSize;
    this.batchesPerEpoch = dropLast ? Math.floor(batches) : Math.ceil(batches);
    if (this.batchesPerEpoch === 0) {
      throw new CudnnGruError('ERR_DATA', `${dataset.length} examples do not make one batch of ${this.batchSize}`);
    }
  }

  next(): Batch | undefined {
    if (this.#batch === this.batchesPerEpoch) {
      this.#epoch += 1;
      this.#batch = 0;
      return undefined;
    }
    if (this.#plannedEpoch !== this.#epoch) this.#plan();
    const start = this.#starts[this.#batch] as number;
    const batch = this.dataset.get(this.#order.subarray(start, start + this.batchSize));
    this.#batch += 1;
    return batch;
  }

  /** The rest of the current epoch; afterwards the source stands at the start of the next. */
  *[Symbol.iterator](): Iterator<Batch> {
    for (let batch = this.next(); batch !== undefined; batch = this.next()) yield batch;
  }

  position(): BatchPosition {
    return { epoch: this.#epoch, batch: this.#batch, order: this.#fingerprint() };
  }

  restore(position: BatchPosition): void {
    [this.#epoch, this.#batch] = checkPosition(position, this.#fingerprint(), this.batchesPerEpoch);
  }

  #fingerprint(): string {
    const parts = [`${this.dataset.length} examples`, `${this.batchesPerEpoch} batches of ${this.batchSize}`];
    if (this.#shuffle) parts.push(`shuffled with seed ${this.#seed}`);
    if (this.#bucketSize > 0) parts.push(`buckets of ${this.#bucketSize}`);
    return parts.join(', ');
  }

  #plan(): void {
    const random = new RandomStream(this.#seed, this.#epoch + 1);
    let order = range(this.dataset.length);
    if (this.#shuffle) shuffle(order, random);
    // What dropLast leaves out is chosen by the shuffling, before sorting could make it always the longest.
    order = order.subarray(0, this.batchesPerEpoch * this.batchSize);
    const batches = range(this.batchesPerEpoch);
    if (this.#bucketSize > 0) {
      const bucket = this.#bucketSize * this.batchSize;
      for (let start = 0; start < order.length; start += bucket)
        this.#sortByLength(order.subarray(start, start + bucket));
      if (this.#shuffle) shuffle(batches, random);
    }
    this.#order = order;
    this.#starts = batches.map((batch) => batch * this.batchSize);
    this.#plannedEpoch = this.#epoch;
  }

  // In place; equal lengths keep their order.
  #sortByLength(indices: Int32Array): void {
    const sorted = Array.from(indices, (index) => ({ index, length: this.dataset.lengthOf?.(index) ?? 0 }));
    sorted.sort((a, b) => a.length - b.length);
    sorted.forEach(({ index }, i) => {
      indices[i] = index;
    });
  }
}

/** The epoch and batch of a position, if it can be one of a source with this order. */
export function checkPosition(position: BatchPosition, order: string, batchesPerEpoch: number): [number, number] {
  const epoch = checkInteger(position.epoch, 'position.epoch', { min: 0 });
  const batch = checkInteger(position.batch, 'position.batch', { min: 0 });
  if (position.order !== order) {
    throw new CudnnGruError(
      'ERR_DATA',
      `the position belongs to other data or options: it was saved with ${position.order}, here are ${order}`,
    );
  }
  checkInteger(batch, 'position.batch', { max: batchesPerEpoch });
  return [epoch, batch];
}
