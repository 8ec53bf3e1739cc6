import { setImmediate } from 'node:timers/promises';
import type FFT from 'fft.js';
import { wrongKind } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import { hannWindow, melFilters } from './mel_filters.js';
import type { Frames, MelSettings } from './mel_front_end.js';
import type { Audio } from './wav.js';

// Added to the energy of a band before the logarithm, as in torchaudio.transforms.MFCC(log_mels=True).
const floor = 1e-6;
const framesPerTurn = 1000;

/**
 * The log-mel frames of a sound that comes piece by piece: made by `MelFrontEnd.stream`. However the sound is cut, the frames together are those of
 * `logMel`, bit for bit. A frame comes when the half of its transform that lies ahead has come: fftSize / 2 samples, 16 ms at 8 kHz.
 */
export class MelStream {
  readonly #settings: MelSettings;
  readonly #fft: FFT;
  readonly #window: Float64Array;
  /** For each band its first bin and the weights from there on. */
  readonly #filters: readonly { first: number; weights: Float64Array }[];
  readonly #part: Float64Array;
  readonly #spectrum: number[];
  readonly #power: Float64Array;
  /** The samples from number `#first` on that a later frame looks at. */
  #kept = new Float32Array(0);
  #first = 0;
  #received = 0;
  #frame = 0;
  #ended = false;

  /** @internal */
  constructor(settings: MelSettings, fft: FFT) {
    const { windowSize, fftSize } = settings;
    this.#settings = settings;
    this.#fft = fft;
    this.#window = hannWindow(windowSize, fftSize);
    this.#filters = melFilters(settings);
    this.#part = new Float64Array(fftSize);
    this.#spectrum = fft.createComplexArray();
    this.#power = new Float64Array(fftSize / 2 + 1);
  }

  /**
   * The frames that are complete with this piece.
   *
   * @param audio of any length, also 0
   * @returns [frames, bands], frames from 0
   * @throws TypeError; CudnnGruError `ERR_DATA` for another sample rate and samples that are not finite: the piece counts as not come; `ERR_DISPOSED`
   * after `end`
   */
  push(audio: Audio): Frames {
    return this.take(checkPiece(audio, this.#settings));
  }

  /** The frames that reach beyond the sound's end, which is mirrored there. @throws CudnnGruError `ERR_DATA` for a sound too short for one window, `ERR_DISPOSED` */
  end(): Frames {
    this.#checkOpen();
    checkLength(this.#received, this.#settings);
    this.#ended = true;
    return this.#framesTo(1 + Math.floor(this.#received / this.#settings.hopSize));
  }

  /** @internal `push` of samples that are checked. */
  take(samples: Float32Array): Frames {
    this.#checkOpen();
    const { hopSize, fftSize } = this.#settings;
    const half = fftSize / 2;
    const longer = new Float32Array(this.#kept.length + samples.length);
    longer.set(this.#kept);
    longer.set(samples, this.#kept.length);
    this.#kept = longer;
    this.#received += samples.length;
    // The first frame needs one sample more, for its mirror.
    const ready = this.#received > half ? 1 + Math.floor((this.#received - half) / hopSize) : 0;
    const frames = this.#framesTo(ready);
    const needed = Math.max(0, Math.min(this.#frame * hopSize - half, this.#received - 1 - half));
    this.#kept = this.#kept.slice(needed - this.#first);
    this.#first = needed;
    return frames;
  }

  /** @internal As `take`, in parts: so many frames in a turn of the event loop. */
  async *takeInTurns(samples: Float32Array): AsyncGenerator<Frames> {
    const perTurn = framesPerTurn * this.#settings.hopSize;
    for (let start = 0; start < samples.length; start += perTurn) {
      await setImmediate();
      yield this.take(samples.subarray(start, start + perTurn));
    }
  }

  #framesTo(end: number): Frames {
    const { bands } = this.#settings;
    const count = Math.max(0, end - this.#frame);
    const data = new Float32Array(count * bands);
    for (let i = 0; i < count; i++) this.#writeFrame(this.#frame++, data.subarray(i * bands, (i + 1) * bands));
    return { data, shape: [count, bands] };
  }

  #writeFrame(frame: number, out: Float32Array): void {
    const { hopSize, fftSize } = this.#settings;
    const start = frame * hopSize - fftSize / 2;
    for (let n = 0; n < fftSize; n++) {
      const sample = this.#kept[mirrored(start + n, this.#received) - this.#first] as number;
      this.#part[n] = (this.#window[n] as number) * sample;
    }
    this.#fft.realTransform(this.#spectrum, this.#part);
    for (let k = 0; k < this.#power.length; k++)
      this.#power[k] = (this.#spectrum[2 * k] as number) ** 2 + (this.#spectrum[2 * k + 1] as number) ** 2;
    for (const [band, { first, weights }] of this.#filters.entries()) {
      let energy = 0;
      for (let k = 0; k < weights.length; k++) energy += (weights[k] as number) * (this.#power[first + k] as number);
      out[band] = Math.log(energy + floor);
    }
  }

  #checkOpen(): void {
    if (this.#ended) throw new CudnnGruError('ERR_DISPOSED', 'a stream of sound was used after its end()');
  }
}

/** @internal A whole sound. @throws TypeError; CudnnGruError `ERR_DATA` */
export function checkSound(audio: Audio, settings: MelSettings): Float32Array {
  const samples = checkPiece(audio, settings);
  checkLength(samples.length, settings);
  return samples;
}

/** @internal A piece of a sound. @throws TypeError; CudnnGruError `ERR_DATA` */
export function checkPiece(audio: Audio, settings: MelSettings): Float32Array {
  const { samples, sampleRate } = (audio ?? {}) as Partial<Audio>;
  if (!(samples instanceof Float32Array)) throw wrongKind('audio.samples', 'a Float32Array', samples);
  if (sampleRate !== settings.sampleRate) {
    throw new CudnnGruError(
      'ERR_DATA',
      `the sound has ${sampleRate} samples per second; ${settings.sampleRate} are needed: use audio.resample`,
    );
  }
  const wrong = samples.findIndex((sample) => !Number.isFinite(sample));
  if (wrong >= 0) throw new CudnnGruError('ERR_DATA', `sample ${wrong} of the sound is no finite number`);
  return samples;
}

function checkLength(samples: number, { fftSize }: MelSettings): void {
  const least = fftSize / 2 + 1;
  if (samples < least) {
    throw new CudnnGruError('ERR_DATA', `the sound has ${samples} samples; at least ${least} are needed`);
  }
}

// The first and the last sample are mirrors; what is mirrored is shorter than the sound.
function mirrored(index: number, length: number): number {
  if (index < 0) return -index;
  return index < length ? index : 2 * (length - 1) - index;
}
