import { checkBoolean, checkOptions, checkPositiveInteger, wrongRange } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import { type ArrayInput, product, sameKind, toHostArray } from './array_dataset.js';
import { checkPosition } from './batches.js';
import type { Batch, BatchPosition, BatchSource, HostArray } from './types.js';

export interface StreamBatchesOptions {
  /** Shape [rows, ...]: one long series, in the order of time. */
  readonly inputs: ArrayInput;
  /** Shape [rows, ...]: one target per row (for the next token: the inputs moved by one). */
  readonly targets: ArrayInput;
  /** How many parallel streams the series is cut into: the batch size. */
  readonly streams: number;
  /** Rows per chunk: how far gradients flow back. */
  readonly steps: number;
  /** Leave out the last chunk of an epoch when it is shorter than `steps`. Default false. */
  readonly dropLast?: boolean;
}

/**
 * Batches for truncated backpropagation through time. The series is cut into `streams` parts of equal length (what is
 * left over at its end is not used), laid side by side, and read in chunks of `steps` rows: row b of each batch goes
 * on where row b of the batch before ended. Inputs and targets are [streams, steps, ...].
 */
export class StreamBatches implements BatchSource {
  readonly batchesPerEpoch: number;
  readonly streams: number;
  readonly steps: number;
  /** Rows of each stream. */
  readonly streamLength: number;
  readonly #inputs: HostArray;
  readonly #targets: HostArray;
  #epoch = 0;
  #batch = 0;

  /** @throws ERR_DATA when the series is too short for one chunk. */
  constructor(options: StreamBatchesOptions) {
    checkOptions(options, 'options', ['inputs', 'targets', 'streams', 'steps', 'dropLast']);
    this.#inputs = toHostArray(options.inputs, 'inputs');
    this.#targets = toHostArray(options.targets, 'targets');
    this.streams = checkPositiveInteger(options.streams, 'streams');
    this.steps = checkPositiveInteger(options.steps, 'steps');
    const dropLast = checkBoolean(options.dropLast ?? false, 'dropLast');
    const rows = this.#inputs.shape[0] as number;
    if (this.#targets.shape[0] !== rows) {
      throw wrongRange('targets', `as many rows as inputs (${rows})`, [...this.#targets.shape]);
    }
    this.streamLength = Math.floor(rows / this.streams);
    const chunks = this.streamLength / this.steps;
    this.batchesPerEpoch = dropLast ? Math.floor(chunks) : Math.ceil(chunks);
    if (this.batchesPerEpoch === 0) {
      throw new CudnnGruError(
        'ERR_DATA',
        `the series has ${rows} rows: too few for ${this.streams} streams with a chunk of ${this.steps}`,
      );
    }
  }

  next(): Batch | undefined {
    if (this.#batch === this.batchesPerEpoch) {
      this.#epoch += 1;
      this.#batch = 0;
      return undefined;
    }
    const start = this.#batch * this.steps;
    const end = Math.min(start + this.steps, this.streamLength);
    this.#batch += 1;
    return {
      inputs: this.#chunk(this.#inputs, start, end),
      targets: this.#chunk(this.#targets, start, end),
      continues: start > 0,
    };
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
    return `${this.streams} streams of ${this.streamLength} rows, ${this.batchesPerEpoch} chunks of ${this.steps}`;
  }

  // Rows `start` to `end - 1` of every stream: [streams, end - start, ...].
  #chunk({ data, shape }: HostArray, start: number, end: number): HostArray {
    const rest = shape.slice(1);
    const size = product(rest);
    const out = sameKind(data, this.streams * (end - start) * size);
    for (let stream = 0; stream < this.streams; stream++) {
      const row = stream * this.streamLength;
      out.set(data.subarray((row + start) * size, (row + end) * size), stream * (end - start) * size);
    }
    return { data: out, shape: [this.streams, end - start, ...rest] };
  }
}
