import { CudnnGruError } from '../errors.js';
import { AnomalyDetector, DetectionStream } from '../tasks/index.js';
import type { ServedModel } from './served_model.js';

/** A live sequence: frames in, what the model makes of each out, in their order. */
export interface LiveSession {
  /** Numbers of a frame. */
  readonly inputSize: number;
  /** @returns the output's numbers, or what JSON says of them */
  push(frame: Float32Array): Promise<Float32Array | object>;
  reset(): void;
  close(): void;
}

/**
 * A detector judges the rows of a series in their units.
 *
 * @throws CudnnGruError `ERR_UNSUPPORTED` for a model that reads more than one frame at a time
 */
export function openSession({ model }: ServedModel): LiveSession {
  if (model instanceof AnomalyDetector && model.preprocessing !== null) return new DetectionSession(model);
  throw new CudnnGruError('ERR_UNSUPPORTED', `a ${model.constructor.name} has no live streams`);
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

  reset(): void {
    this.#stream.close();
    this.#stream = new DetectionStream(this.#model);
  }

  close(): void {
    this.#stream.close();
  }
}
