import { checkInteger, checkNumber, checkOptions, checkPositiveInteger, wrongRange } from '../arguments.js';
import type { HostArray } from '../data/types.js';
import { dctMatrix } from './mel_filters.js';
import { checkSound, MelStream } from './mel_stream.js';
import type { Audio } from './wav.js';

export interface MelFrontEndOptions {
  /** Samples per second of the sounds that are read. */
  sampleRate: number;
  /** Samples under the window. Default: 25 ms. */
  windowSize?: number;
  /** Samples from one frame to the next. Default: 10 ms. */
  hopSize?: number;
  /** Samples of a Fourier transform, a power of two. Default: the least that holds the window. */
  fftSize?: number;
  /** Bands of the mel scale. Default: 40. */
  bands?: number;
  /** Where the lowest band begins, in Hz. Default: 0. */
  minFrequency?: number;
  /** Where the highest band ends, in Hz. Default: half the sample rate. */
  maxFrequency?: number;
}

/** Features of a sound, frame by frame: [frames, features]. */
export type Frames = HostArray<Float32Array>;

/** Options without defaults left open: what goes into a model file. */
export type MelSettings = Readonly<Required<MelFrontEndOptions>>;

const optionNames = [
  'sampleRate',
  'windowSize',
  'hopSize',
  'fftSize',
  'bands',
  'minFrequency',
  'maxFrequency',
] as const;

/**
 * From sound to features: the logarithm of the energy in bands of the mel scale, and its cosine transform. With s the samples, mirrored at both
 * ends so that frame t is centred at sample t · hopSize, w the periodic Hann window (centred in the transform) and m_b the triangular filters of
 * the HTK mel scale, mel(f) = 2595 log10(1 + f / 700), of height 1:
 *
 *     X_t[k] = Σ_n w[n] s[t · hopSize + n - fftSize / 2] e^(-2πi k n / fftSize)
 *     logMel_t[b] = ln(Σ_k m_b[k] |X_t[k]|² + 1e-6)
 *     mfcc_t[c] = Σ_b D[c, b] logMel_t[b]          D: the orthonormal DCT-II
 *
 * as torchaudio.transforms.MelSpectrogram and MFCC(log_mels=True) with `center`, `pad_mode='reflect'`, and librosa with `htk=True, norm=None`.
 *
 * @throws TypeError, RangeError
 */
export class MelFrontEnd {
  readonly settings: MelSettings;

  constructor(options: MelFrontEndOptions) {
    checkOptions(options, 'options', optionNames);
    const sampleRate = checkInteger(options.sampleRate, 'sampleRate', { min: 100, max: 1e6 });
    const windowSize = checkInteger(options.windowSize ?? Math.round(sampleRate * 0.025), 'windowSize', { min: 2 });
    const hopSize = checkPositiveInteger(options.hopSize ?? Math.round(sampleRate * 0.01), 'hopSize');
    const fftSize = checkInteger(options.fftSize ?? 2 ** Math.ceil(Math.log2(windowSize)), 'fftSize', {
      min: windowSize,
      max: 2 ** 20,
    });
    if (!Number.isInteger(Math.log2(fftSize))) throw wrongRange('fftSize', 'a power of two', fftSize);
    const bands = checkInteger(options.bands ?? 40, 'bands', { min: 1, max: fftSize / 2 });
    const minFrequency = checkNumber(options.minFrequency ?? 0, 'minFrequency', { min: 0 });
    const maxFrequency = checkNumber(options.maxFrequency ?? sampleRate / 2, 'maxFrequency', {
      above: minFrequency,
      max: sampleRate / 2,
    });
    this.settings = { sampleRate, windowSize, hopSize, fftSize, bands, minFrequency, maxFrequency };
  }

  /**
   * [1 + floor(samples / hopSize), bands].
   *
   * @throws TypeError; CudnnGruError `ERR_DATA` for another sample rate, a sound too short for one window (fftSize / 2 samples or fewer), and
   * samples that are not finite
   */
  async logMel(audio: Audio): Promise<Frames> {
    const samples = checkSound(audio, this.settings);
    const stream = await this.stream();
    const parts: Frames[] = [];
    for await (const part of stream.takeInTurns(samples)) parts.push(part);
    parts.push(stream.end());
    return joined(parts, this.settings.bands);
  }

  /** For a sound that comes piece by piece: the frames of `logMel`, bit for bit, as soon as what they look at is there. */
  async stream(): Promise<MelStream> {
    const { default: FFT } = await import('fft.js');
    return new MelStream(this.settings, new FFT(this.settings.fftSize));
  }

  /**
   * Mel-frequency cepstral coefficients: [1 + floor(samples / hopSize), coefficients].
   *
   * @param coefficients the first so many, at most `bands`. Default: 13.
   * @throws as `logMel`; RangeError
   */
  async mfcc(audio: Audio, coefficients = 13): Promise<Frames> {
    const { bands } = this.settings;
    checkInteger(coefficients, 'coefficients', { min: 1, max: bands });
    const { data: mel, shape } = await this.logMel(audio);
    const [frames] = shape as [number, number];
    const dct = dctMatrix(coefficients, bands);
    const data = new Float32Array(frames * coefficients);
    for (let frame = 0; frame < frames; frame++) {
      for (let c = 0; c < coefficients; c++) {
        let sum = 0;
        for (let b = 0; b < bands; b++) sum += (dct[c * bands + b] as number) * (mel[frame * bands + b] as number);
        data[frame * coefficients + c] = sum;
      }
    }
    return { data, shape: [frames, coefficients] };
  }
}

function joined(parts: readonly Frames[], bands: number): Frames {
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let done = 0;
  for (const part of parts) {
    data.set(part.data, done);
    done += part.data.length;
  }
  return { data, shape: [data.length / bands, bands] };
}
