import { CudnnGruError } from '../errors.js';
import type { Stream } from '../inference/stream.js';
import { AnomalyDetector, DetectionStream } from '../tasks/index.js';
import type { ServedModel } from './served_model.js';

/** A live sequence: frames in, what the model makes of each out, in their order. */
export interface LiveSession {
  /** Numbers of a frame. */
  readonly inputSize: number;
  /** @returns the output's numbers, or what JSON says of them */
  push(frame: Float32Array): Promise<Float32Array | object>;
  /** The state after all frames so far, for `restore` of another session of the same model. */
  save(): Promise<Float32Array>;
  /** @throws RangeError */
  restore(state: Float32Array): void;
  reset(): void;
  close(): void;
}

/**
 * A detector judges the rows of a series in their units; other models get and give numbers as in inference.
 *
 * @throws CudnnGruError `ERR_UNSUPPORTED` for a model that reads more than one frame at a time
 */
export function openSession({ model }: ServedModel): LiveSession {
  if (model instanceof AnomalyDetector && model.preprocessing !== null) return new DetectionSession(model);
  return new StreamSession(model.createStream());
}

class StreamSession implements LiveSession {
  readonly inputSize: number;
  readonly #stream: Stream;

  constructor(stream: Stream) {
    this.#stream = stream;
    this.inputSize = stream.inputSize;
  }

  push(frame: Float32Array): Promise<Float32Array> {
    return this.#stream.push(frame);
  }

  save(): Promise<Float32Array> {
    return this.#stream.saveState();
  }

  restore(state: Float32Array): void {
    this.#stream.restoreState(state);
  }

  reset(): void {
    this.#stream.reset();
  }

  close(): void {
    this.#stream.close();
  }
}

class DetectionSession implements LiveSession {
  readonly inputSize: number;
  readonly #model: AnomalyDetector;
  #stream: DetectionStream;

  constructor(model: AnomalyDetector) {
    this.#model = model;
    this.#stream = new DetectionStream(model);
    this.inputSize = model.gru.inputSize;
  }

  push(row: Float32Array): Promise<object> {
    return this.#stream.push(row);
  }

  async save(): Promise<Float32Array> {
    throw stateless();
  }

  restore(): void {
    throw stateless();
  }

  reset(): void {
    this.#stream.close();
    this.#stream = new DetectionStream(this.#model);
  }

  close(): void {
    this.#stream.close();
  }
}

function stateless(): CudnnGruError {
  return new CudnnGruError('ERR_UNSUPPORTED', 'the state of a detector cannot be saved');
}
