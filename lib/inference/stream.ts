import { wrongKind, wrongRange } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import type { PoolRow } from './stream_pool.js';
import type { StreamingModel } from './streaming_model.js';

// The net below close(): the row of a stream that nobody can reach any more is given back.
const unreachable = new FinalizationRegistry<PoolRow>((place) => place.pool.giveBack(place));

/**
 * One live sequence through a model, frame by frame: made by `Module.createStream`. What a model makes of a frame is bit for bit what it
 * makes of it within the whole sequence. The state is kept in native memory; frames of all streams of a model that arrive together are
 * computed together.
 */
export class Stream {
  /** Features of a frame. */
  readonly inputSize: number;
  /** Numbers of an output. */
  readonly outputSize: number;

  /** @internal Of the pool. */ readonly row: number;
  /** @internal The first batch of the pool that this stream has no frame in. */ nextBatch = 0;
  readonly #model: StreamingModel;
  readonly #deadline: number;
  readonly #place: PoolRow;
  #closed = false;
  #settled = false; // nothing in the queue has to do with the state

  /** @internal */
  constructor(model: StreamingModel, deadline: number) {
    this.#model = model;
    this.#deadline = deadline;
    this.inputSize = model.inputSize;
    this.outputSize = model.outputSize;
    this.#place = model.takeRow();
    this.row = this.#place.row;
    unreachable.register(this, this.#place, this);
    this.reset();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * The model's output for the next frame. Several may be pushed without waiting; they are computed in their order. At most 1,024 wait for
   * being computed: who produces faster than that awaits an earlier output before the next `push`.
   *
   * @param frame [inputSize]; copied
   * @returns [outputSize]
   * @throws TypeError, RangeError; CudnnGruError `ERR_DISPOSED`; `ERR_BUSY` when 1,024 frames wait: this one is not taken, and the stream goes
   * on as if it had not come; a rejection with the error of the operations (`ERR_OUT_OF_MEMORY`) leaves the state as it was
   */
  async push(frame: Float32Array): Promise<Float32Array> {
    this.#check(frame);
    this.#settled = false;
    return this.#place.pool.push(this, frame.slice(), this.#deadline);
  }

  /**
   * As `push`, but computed before it returns: on the CPU by the calling thread itself, elsewhere through the device's queue. Frames
   * pushed before are waited for. Changes of the parameters that were enqueued before are in effect.
   *
   * @param frame [inputSize]
   * @param output [outputSize], to be written. Default: a new array.
   * @returns output
   * @throws as `push`
   */
  stepSync(frame: Float32Array, output: Float32Array = new Float32Array(this.outputSize)): Float32Array {
    this.#check(frame);
    if (!(output instanceof Float32Array)) throw wrongKind('output', 'a Float32Array', output);
    if (output.length !== this.outputSize) throw wrongRange('output', `${this.outputSize} numbers`, output);
    const { program } = this.#model;
    const { pool, state } = this.#place;
    if (!program) {
      output.set(pool.stepSync(this, frame));
      return output;
    }
    if (!this.#settled) {
      pool.flush(this);
      state.dataSync();
      this.#settled = true;
    }
    program.run(state, frame, output);
    return output;
  }

  /**
   * The state after all frames pushed so far, for `restoreState` of any stream of the same model.
   *
   * @returns [stateSize]: of each module with a state, in the order of `Module.children`; of a GRU, layer by layer
   * @throws CudnnGruError `ERR_DISPOSED`
   */
  async saveState(): Promise<Float32Array> {
    this.#checkOpen();
    this.#place.pool.flush(this);
    const state = (await this.#place.state.data()) as Float32Array;
    return state.subarray(0, this.#model.layout.size);
  }

  /**
   * Goes on from a saved state; frames pushed before are computed from the old one.
   *
   * @param state as `saveState` gave it
   * @throws TypeError, RangeError; CudnnGruError `ERR_DISPOSED`
   */
  restoreState(state: Float32Array): void {
    this.#checkOpen();
    if (!(state instanceof Float32Array)) throw wrongKind('state', 'a Float32Array', state);
    const { size } = this.#model.layout;
    if (state.length !== size) throw wrongRange('state', `${size} numbers`, state);
    if (size > 0) this.#writeState(state);
  }

  /** Starts a new sequence: the state becomes 0. Frames pushed before are computed from the old one. */
  reset(): void {
    this.#checkOpen();
    this.#writeState(new Float32Array(this.#place.state.size));
  }

  /** Gives the state's memory back. Frames that wait are rejected with `ERR_DISPOSED`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    unreachable.unregister(this);
    this.#place.pool.giveBack(this.#place);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #writeState(state: Float32Array): void {
    this.#place.pool.flush(this);
    this.#place.state.write(state);
    this.#settled = false;
  }

  #check(frame: unknown): void {
    this.#checkOpen();
    if (!(frame instanceof Float32Array)) throw wrongKind('frame', 'a Float32Array', frame);
    if (frame.length !== this.inputSize) throw wrongRange('frame', `${this.inputSize} numbers`, frame);
  }

  #checkOpen(): void {
    if (this.#closed) throw new CudnnGruError('ERR_DISPOSED', 'a stream was used after its close()');
  }
}
