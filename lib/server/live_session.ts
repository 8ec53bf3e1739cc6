import { CudnnGruError } from '../errors.js';
import type { Stream } from '../inference/stream.js';
import {
  AnomalyDetector,
  DetectionStream,
  type LiveTranscript,
  Transcriber,
  TranscriptionStream,
} from '../tasks/index.js';
import type { ServedModel } from './served_model.js';

/** A live sequence: frames in, what the model makes of each out, in their order. */
export interface LiveSession {
  /** Numbers of a frame; null: any number of them. */
  readonly inputSize: number | null;
  /** @returns the output's numbers, or what JSON says of them */
  push(frame: Float32Array): Promise<Float32Array | object>;
  /** The sequence is over, and the next begins. @returns what can only be said now */
  end(): Promise<object>;
  /** The state after all frames so far, for `restore` of another session of the same model. */
  save(): Promise<Float32Array>;
  /** @throws RangeError */
  restore(state: Float32Array): void;
  reset(): void;
  close(): void;
}

/**
 * A detector judges the rows of a series in their units, a transcriber hears samples of sound; other models get and give numbers as in inference.
 *
 * @throws CudnnGruError `ERR_UNSUPPORTED` for a model that reads more than one frame at a time
 */
export function openSession({ model }: ServedModel): LiveSession {
  if (model instanceof AnomalyDetector && model.preprocessing !== null) return new DetectionSession(model);
  if (model instanceof Transcriber && model.preprocessing !== null) return new TranscriptionSession(model);
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

  async end(): Promise<object> {
    this.reset();
    return {};
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

  async end(): Promise<object> {
    this.reset();
    return {};
  }

  async save(): Promise<Float32Array> {
    throw stateless('detector');
  }

  restore(): void {
    throw stateless('detector');
  }

  reset(): void {
    this.#stream.close();
    this.#stream = new DetectionStream(this.#model);
  }

  close(): void {
    this.#stream.close();
  }
}

class TranscriptionSession implements LiveSession {
  readonly inputSize = null;
  readonly #model: Transcriber;
  #stream: TranscriptionStream;

  constructor(model: Transcriber) {
    this.#model = model;
    this.#stream = new TranscriptionStream(model);
  }

  async push(samples: Float32Array): Promise<object> {
    return heard(await this.#stream.push({ samples, sampleRate: this.#stream.sampleRate }));
  }

  async end(): Promise<object> {
    const ended = this.#stream;
    this.#stream = new TranscriptionStream(this.#model);
    return heard(await ended.end());
  }

  async save(): Promise<Float32Array> {
    throw stateless('transcriber');
  }

  restore(): void {
    throw stateless('transcriber');
  }

  reset(): void {
    this.#stream.close();
    this.#stream = new TranscriptionStream(this.#model);
  }

  close(): void {
    this.#stream.close();
  }
}

function heard({ text, confidence }: LiveTranscript): object {
  return { text, confidence };
}

function stateless(what: string): CudnnGruError {
  return new CudnnGruError('ERR_UNSUPPORTED', `the state of a ${what} cannot be saved`);
}
