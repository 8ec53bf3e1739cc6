/** Numbers in host memory, ready to become a tensor: `float32`, or `int32` for class labels and token numbers. */
export type NumericArray = Float32Array | Int32Array;

/** A row-major array: `data.length` is the product of `shape`. */
export interface HostArray<T extends NumericArray = NumericArray> {
  readonly data: T;
  readonly shape: readonly number[];
}

/** What one training step reads. */
export interface Batch {
  /** [batch, time, features], [batch, time] for token numbers, or [batch, features]. */
  readonly inputs: HostArray;
  /** [batch], [batch, classes], [batch, horizon], [batch, time] …: whatever the loss compares with the model's output. */
  readonly targets: HostArray;
  /** Shape [batch]: the number of valid steps of each sequence; the steps behind are padding. Absent: all steps are valid. */
  readonly lengths?: Int32Array;
  /**
   * Only from `StreamBatches`: true when each sequence goes on where the same row of the batch before ended, so the
   * hidden state is carried over; false at the start of the streams.
   */
  readonly continues?: boolean;
}

/** A finite collection of examples that can be read in any order. */
export interface Dataset {
  /** How many examples there are. */
  readonly length: number;
  /** The examples of these numbers (each 0 to `length - 1`, in this order) as one batch. */
  get(indices: ArrayLike<number>): Batch;
  /** How many steps an example has; needed only for bucketing by length. */
  lengthOf?(index: number): number;
}

/** Where an epoch stands; plain JSON, kept in checkpoints. */
export interface BatchPosition {
  /** Counted from 0. */
  readonly epoch: number;
  /** How many batches of this epoch have been handed out. */
  readonly batch: number;
  /** What fixes the order of the batches, compared when a position is restored. */
  readonly order: string;
}

/** A source of batches, epoch after epoch, that can stop anywhere and go on later with the same batches. */
export interface BatchSource extends Iterable<Batch> {
  readonly batchesPerEpoch: number;
  /**
   * The next batch of this epoch; undefined at its end, and then the next call starts the next epoch. It answers at once: what has to be
   * waited for (a file, a network) is read ahead into memory.
   */
  next(): Batch | undefined;
  position(): BatchPosition;
  /** Goes to a position that a source with the same data and options gave. Throws ERR_DATA if they differ. */
  restore(position: BatchPosition): void;
}
