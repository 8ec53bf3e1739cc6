import { checkOneOf, checkOptions, checkPositiveInteger } from '../../arguments.js';
import { type Audio, MelFrontEnd, type MelSettings, type MelStream } from '../../audio/index.js';
import { checkPiece } from '../../audio/mel_stream.js';
import type { Scaler } from '../../data/index.js';
import { type CtcBeamSearchOptions, CtcPrefixSearch } from '../../decoding/ctc_beam_search.js';
import { CtcGreedyDecoder, readFrames } from '../../decoding/ctc_greedy.js';
import { CudnnGruError } from '../../errors.js';
import type { Stream } from '../../inference/stream.js';
import { upload } from '../../ops/result.js';
import type { Tokenizer } from '../../text/index.js';
import { RunningScaler } from './running_scaler.js';
import { type Transcript, transcriberPreprocessingOf, transcriptOf } from './transcribe.js';
import type { Transcriber } from './transcriber.js';

export interface TranscriptionStreamOptions
  extends Pick<
    CtcBeamSearchOptions,
    'width' | 'classesPerFrame' | 'languageModel' | 'languageModelWeight' | 'labelBonus'
  > {
  /** As of `transcribe`. Default: 1, with a language model 16. */
  width?: number;
  /**
   * By which mean and deviation the features are normalised: those of the training; or, for another speaker or microphone, the mean of the
   * sound so far, before which the training's counts as 2 s. Default: 'training'.
   */
  normalization?: 'training' | 'running';
}

const optionNames = [
  'width',
  'classesPerFrame',
  'languageModel',
  'languageModelWeight',
  'labelBonus',
  'normalization',
] as const;

/** What was heard so far. */
export interface LiveTranscript extends Transcript {
  /** The beginning of `text` that no later sound changes: without a search all of it, with one what all followed prefixes have in common. */
  readonly stable: string;
}

// Steps that are in a stream's queue at a time.
const stepsPerTurn = 256;

/**
 * Transcribes one sound while it comes. After the last piece the transcript is, bit for bit, what `transcribe` makes of the whole sound (with
 * `normalization: 'training'`), however it was cut. Without a search the text only grows; with one it may be revised behind what is `stable`.
 *
 * A letter is heard when its step is complete: `stacking` frames and half a transform, with the defaults 46 ms of sound. For a sound without an end, call
 * `end` at a pause and go on with a new stream: what was heard is kept from the beginning.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_FORMAT` for a model without preprocessing, `ERR_UNSUPPORTED` for a bidirectional one
 */
export class TranscriptionStream {
  /** Samples per second of the sound. */
  readonly sampleRate: number;
  readonly #model: Transcriber;
  readonly #settings: MelSettings;
  readonly #tokenizer: Tokenizer;
  readonly #scaler: Scaler | RunningScaler;
  readonly #frames: Promise<MelStream>;
  readonly #decoder: Decoder;
  readonly #stream: Stream;
  /** Normalised frames that do not fill a step yet. */
  #rest = new Float32Array(0);
  #steps = 0;
  #last: Promise<unknown> = Promise.resolve();
  #state: 'open' | 'ended' | 'closed' = 'open';
  #failure: Error | undefined;

  constructor(model: Transcriber, options: TranscriptionStreamOptions = {}) {
    checkOptions(options, 'options', optionNames);
    const { normalization = 'training', width: given, ...search } = options;
    const width = checkPositiveInteger(given ?? (options.languageModel ? 16 : 1), 'width');
    checkOneOf(normalization, 'normalization', ['training', 'running']);
    const { tokenizer, frontEnd, scaler } = transcriberPreprocessingOf(model);
    this.#model = model;
    this.#settings = frontEnd;
    this.sampleRate = frontEnd.sampleRate;
    this.#tokenizer = tokenizer;
    this.#scaler = normalization === 'running' ? new RunningScaler(scaler) : scaler;
    const sizes = { classes: model.vocabularySize, blank: 0 };
    this.#decoder =
      width === 1 && !options.languageModel
        ? greedyDecoder(new CtcGreedyDecoder(sizes), (model.stacking * frontEnd.hopSize) / frontEnd.sampleRate)
        : searchDecoder(new CtcPrefixSearch(sizes, { ...search, width }));
    // What may throw comes before what must be closed.
    const mel = new MelFrontEnd(frontEnd);
    this.#stream = model.createStream();
    this.#frames = mel.stream();
    // Each push says what failed; before the first nobody listens.
    this.#frames.catch(() => undefined);
  }

  /**
   * Goes on with the next piece of the sound. Pieces are heard in the order in which they came; who has more sound than time awaits an earlier answer.
   *
   * @param audio of any length; copied
   * @returns what was heard of all pieces so far
   * @throws TypeError; CudnnGruError `ERR_DATA` for another sample rate and samples that are not finite: the stream goes on as if the piece had not come;
   * `ERR_DISPOSED` after `end` or `close`
   */
  async push(audio: Audio): Promise<LiveTranscript> {
    this.#checkOpen();
    const samples = checkPiece(audio, this.#settings).slice();
    return this.#enqueue(async () => {
      const frames = await this.#frames;
      for await (const { data } of frames.takeInTurns(samples)) await this.#hear(data);
      return this.#transcript();
    });
  }

  /**
   * The sound is over.
   *
   * @returns what was heard of the whole sound
   * @throws CudnnGruError `ERR_DATA` for a sound too short for one window; `ERR_DISPOSED` after `end` or `close`
   */
  async end(): Promise<LiveTranscript> {
    this.#checkOpen();
    this.#state = 'ended';
    try {
      return await this.#enqueue(async () => {
        await this.#hear((await this.#frames).end().data, true);
        return this.#transcript();
      });
    } finally {
      this.close();
    }
  }

  /** Gives the memory of the state back; pieces that still wait are refused. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#stream.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #enqueue(work: () => Promise<LiveTranscript>): Promise<LiveTranscript> {
    const done = this.#last.then(() => {
      if (this.#failure) throw this.#failure;
      if (this.#state === 'closed') throw closed();
      return work();
    });
    // After a failure the state of the model and of the sound are not of the same moment.
    this.#last = done.catch((error: Error) => {
      this.#failure ??= error;
    });
    return done;
  }

  async #hear(frames: Float32Array, isLast = false): Promise<void> {
    const features = this.#scaler.transform(frames);
    const size = this.#stream.inputSize;
    const waiting = new Float32Array(this.#rest.length + features.length);
    waiting.set(this.#rest);
    waiting.set(features, this.#rest.length);
    let steps = Math.floor(waiting.length / size);
    this.#rest = waiting.slice(steps * size);
    let inputs = waiting;
    if (isLast && this.#steps + steps === 0) {
      // As `transcribe`: a sound of fewer frames than one step is filled up with the mean.
      inputs = new Float32Array(size);
      inputs.set(waiting);
      steps = 1;
    }
    for (let first = 0; first < steps; first += stepsPerTurn)
      await this.#step(inputs.subarray(first * size, Math.min(steps, first + stepsPerTurn) * size), size);
    this.#steps += steps;
  }

  #transcript(): LiveTranscript {
    const { hypothesis, stable } = this.#decoder.heard();
    return {
      ...transcriptOf(this.#tokenizer, hypothesis),
      stable: this.#tokenizer.decode(hypothesis.labels.slice(0, stable)),
    };
  }

  async #step(inputs: Float32Array, size: number): Promise<void> {
    if (this.#model.training) this.#model.eval();
    const steps = inputs.length / size;
    const pushed = Array.from({ length: steps }, (_, i) =>
      this.#stream.push(inputs.subarray(i * size, (i + 1) * size)),
    );
    const outputs = await Promise.all(pushed);
    const classes = this.#stream.outputSize;
    const data = new Float32Array(steps * classes);
    for (const [i, output] of outputs.entries()) data.set(output, i * classes);
    const logits = upload(data, [1, steps, classes], this.#model.head.weight.on);
    try {
      const { rows } = await readFrames(logits, {});
      await this.#decoder.push(rows[0] as Float32Array);
    } finally {
      logits.dispose();
    }
  }

  #checkOpen(): void {
    if (this.#state !== 'open') throw closed();
  }
}

function closed(): CudnnGruError {
  return new CudnnGruError('ERR_DISPOSED', 'a transcription was used after its end() or close()');
}

type Found = Parameters<typeof transcriptOf>[1];

/** From log-probabilities, step by step, to labels. */
interface Decoder {
  push(frames: Float32Array): Promise<void> | void;
  /** stable: how many labels will not change. */
  heard(): { hypothesis: Found; stable: number };
}

function greedyDecoder(decoder: CtcGreedyDecoder, secondsPerStep: number): Decoder {
  return {
    push: (frames) => decoder.push(frames),
    heard() {
      const { labels, frames, logProbability } = decoder.found;
      const times = frames.map((step) => step * secondsPerStep);
      return {
        hypothesis: { labels: [...labels], times, logProbability, score: logProbability },
        stable: labels.length,
      };
    },
  };
}

function searchDecoder(search: CtcPrefixSearch): Decoder {
  return {
    push: (frames) => search.push(frames),
    heard() {
      const [best] = search.best;
      // A language model may forbid everything.
      const none = { labels: [], logProbability: Number.NEGATIVE_INFINITY, score: Number.NEGATIVE_INFINITY };
      return { hypothesis: { ...(best ?? none), times: null }, stable: search.common };
    },
  };
}
