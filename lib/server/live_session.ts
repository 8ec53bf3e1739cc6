import { wrongRange } from '../arguments.js';
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
import { checkDuration } from './sound_duration.js';

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
 * @throws CudnnGruError `ERR_UNSUPPORTED` for a bidirectional model
 */
export function openSession({ model, maxSteps }: ServedModel): LiveSession {
  if (model instanceof AnomalyDetector && model.preprocessing !== null) return new DetectionSession(model);
  if (model instanceof Transcriber && model.preprocessing !== null) return new TranscriptionSession(model, maxSteps);
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

/**
 * Sequences with a stream each. The next one begins at once; the stream of the one before is closed when all that was pushed is answered, or
 * with the session.
 */
abstract class Sequences<S extends { close(): void }> {
  protected stream: S;
  readonly #open: () => S;
  readonly #ending = new Set<S>();
  #answered: Promise<unknown> = Promise.resolve();

  constructor(open: () => S) {
    this.#open = open;
    this.stream = open();
  }

  reset(): void {
    const ended = this.stream;
    this.stream = this.#open();
    this.#ending.add(ended);
    void this.#answered.then(() => {
      if (this.#ending.delete(ended)) ended.close();
    });
  }

  close(): void {
    for (const stream of [this.stream, ...this.#ending]) stream.close();
    this.#ending.clear();
  }

  protected answering<T>(answer: Promise<T>): Promise<T> {
    const earlier = this.#answered;
    this.#answered = answer.then(
      () => earlier,
      () => earlier,
    );
    return answer;
  }
}

class DetectionSession extends Sequences<DetectionStream> implements LiveSession {
  readonly inputSize: number;

  constructor(model: AnomalyDetector) {
    super(() => new DetectionStream(model));
    this.inputSize = model.gru.inputSize;
  }

  push(row: Float32Array): Promise<object> {
    return this.answering(this.stream.push(row));
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
}

// Of one frame: what waits for its turn stays small.
const mostSeconds = 10;

class TranscriptionSession extends Sequences<TranscriptionStream> implements LiveSession {
  readonly inputSize = null;
  readonly #model: Transcriber;
  readonly #maxSteps: number;
  #samples = 0;

  constructor(model: Transcriber, maxSteps: number) {
    super(() => new TranscriptionStream(model));
    this.#model = model;
    this.#maxSteps = maxSteps;
  }

  async push(samples: Float32Array): Promise<object> {
    const { sampleRate } = this.stream;
    const most = mostSeconds * sampleRate;
    if (samples.length > most) throw wrongRange('frame', `at most ${most} samples (${mostSeconds} s)`, samples);
    const received = this.#samples + samples.length;
    checkDuration('frame', received, this.#model, this.#maxSteps, 'send "end" and go on with the next');
    this.#samples = received;
    return heard(await this.answering(this.stream.push({ samples, sampleRate })));
  }

  async end(): Promise<object> {
    const answer = this.answering(this.stream.end());
    this.reset();
    return heard(await answer);
  }

  async save(): Promise<Float32Array> {
    throw stateless('transcriber');
  }

  restore(): void {
    throw stateless('transcriber');
  }

  override reset(): void {
    super.reset();
    this.#samples = 0;
  }
}

function heard({ text, confidence }: LiveTranscript): object {
  return { text, confidence };
}

function stateless(what: string): CudnnGruError {
  return new CudnnGruError('ERR_UNSUPPORTED', `the state of a ${what} cannot be saved`);
}
