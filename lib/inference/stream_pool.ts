import { noGrad } from '../autograd/tape.js';
import { CudnnGruError } from '../errors.js';
import type { Module } from '../layers/module.js';
import { addon } from '../native/load.js';
import { fill, result, upload } from '../ops/result.js';
import type { Device } from '../tensor/device.js';
import { keepFromScope, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Stream } from './stream.js';
import { type StateLayout, StreamStates } from './stream_states.js';

// While the device computes one batch, the next may lie in its queue, so that it need not wait for JavaScript between them.
const mostBatchesAtOnce = 2;

/** Frames of one stream that may wait. */
const mostWaiting = 1024;

interface Frame {
  readonly stream: Stream;
  readonly frame: Float32Array;
}

interface Waiting extends Frame {
  resolve(output: Float32Array): void;
  reject(error: unknown): void;
}

/** Frames that are computed together: at most one of each stream. */
interface Batch {
  readonly waiting: Waiting[];
  /** When it must be computed, whoever else may still come. */
  due: number;
}

/** @internal Where a stream's state is. */
export interface PoolRow {
  readonly pool: StreamPool;
  readonly row: number;
  /** Sees the row, shape [stateSize]. */
  readonly state: Tensor;
}

/** @internal What every pool of one model has in common. */
export interface StreamedModel {
  readonly model: Module;
  readonly device: Device;
  readonly inputSize: number;
  readonly layout: StateLayout;
}

/**
 * @internal The states of up to `capacity` streams of a model, in one tensor, and the frames that wait for being computed.
 *
 * What has arrived by the end of the event loop's turn goes at once while nothing is being computed. While a batch is, the next gathers
 * until it is over, every stream has a frame in it, or its first frame is due.
 */
export class StreamPool {
  readonly capacity: number;
  readonly #streamed: StreamedModel;
  readonly #states: Tensor; // [capacity, stateSize]
  readonly #free: number[] = [];
  readonly #batches: Batch[] = [];
  #first = 0; // the number of batches[0], counted since the pool was made
  #running = 0;
  #turn: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(streamed: StreamedModel, capacity: number) {
    this.capacity = capacity;
    this.#streamed = streamed;
    this.#states = keepFromScope(fill([capacity, Math.max(1, streamed.layout.size)], 0, streamed.device));
    for (let row = capacity - 1; row >= 0; row--) this.#free.push(row);
  }

  get streams(): number {
    return this.capacity - this.#free.length;
  }

  /** A row for a new stream; undefined when all are taken. */
  take(): PoolRow | undefined {
    const row = this.#free.pop();
    if (row === undefined) return undefined;
    const size = this.#states.shape[1] as number;
    const state = keepFromScope(result([size], 'float32', this.#states.on));
    const place = [Float64Array.of(row * size), Float64Array.of(size)] as const;
    addon.divide(this.#states.handle, Int32Array.of(state.handle), ...place);
    return { pool: this, row, state };
  }

  giveBack({ row, state }: PoolRow): void {
    state.dispose();
    this.#free.push(row);
  }

  /**
   * @param wait milliseconds that the frame may be held back
   * @returns rejected with `ERR_BUSY`, and the frame is not taken, while 1,024 frames of the stream wait
   */
  push(stream: Stream, frame: Float32Array, wait: number): Promise<Float32Array> {
    // A stream's frames are in consecutive batches.
    const waiting = stream.nextBatch - this.#first;
    if (waiting >= mostWaiting) {
      return Promise.reject(new CudnnGruError('ERR_BUSY', `${waiting} frames of the stream are waiting already`));
    }
    return new Promise<Float32Array>((resolve, reject) => {
      const number = Math.max(this.#first, stream.nextBatch);
      stream.nextBatch = number + 1;
      const due = performance.now() + wait;
      const batch = this.#batches[number - this.#first] ?? { waiting: [], due };
      this.#batches[number - this.#first] = batch;
      batch.waiting.push({ stream, frame, resolve, reject });
      batch.due = Math.min(batch.due, due);
      this.#turn ??= setImmediate(() => {
        this.#turn = undefined;
        this.#sendDue();
      });
    });
  }

  /** Sends the stream's waiting frames, so that what is enqueued next comes after them. */
  flush(stream: Stream): void {
    while (this.#batches.length > 0 && stream.nextBatch > this.#first) void this.#send();
  }

  /** One frame of one stream, through the device's queue; waits for the output. */
  stepSync(stream: Stream, frame: Float32Array): Float32Array {
    this.flush(stream);
    const output = this.#step([{ stream, frame }]);
    try {
      return output.dataSync() as Float32Array;
    } finally {
      output.dispose();
    }
  }

  #sendDue(): void {
    clearTimeout(this.#timer);
    for (let batch = this.#batches[0]; batch && this.#running < mostBatchesAtOnce; batch = this.#batches[0]) {
      const isFull = batch.waiting.length >= this.streams;
      const wait = this.#running === 0 || isFull ? 0 : batch.due - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#sendDue(), wait);
        return;
      }
      void this.#send();
    }
  }

  async #send(): Promise<void> {
    const waiting = (this.#batches.shift() as Batch).waiting.filter(({ stream, reject }) => {
      if (stream.closed)
        reject(new CudnnGruError('ERR_DISPOSED', 'the stream was closed before this frame was computed'));
      return !stream.closed;
    });
    this.#first++;
    if (waiting.length === 0) return;
    this.#running++;
    try {
      const output = this.#step(waiting);
      const outputs = (await output.data().finally(() => output.dispose())) as Float32Array;
      const size = outputs.length / waiting.length;
      for (const [i, { resolve }] of waiting.entries()) resolve(outputs.slice(i * size, (i + 1) * size));
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    } finally {
      this.#running--;
      this.#sendDue();
    }
  }

  #step(waiting: readonly Frame[]): Tensor {
    const { model, device, inputSize, layout } = this.#streamed;
    const frames = new Float32Array(waiting.length * inputSize);
    const rows = new Int32Array(waiting.length);
    for (const [i, { stream, frame }] of waiting.entries()) {
      frames.set(frame, i * inputSize);
      rows[i] = stream.row;
    }
    const step = () => {
      const x = upload(frames, [waiting.length, inputSize], device);
      return model.step(x, new StreamStates(this.#states, rows, layout));
    };
    return noGrad(() => keepFromScope(scope(step)));
  }
}
