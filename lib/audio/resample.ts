import { setImmediate } from 'node:timers/promises';
import { checkInteger, wrongKind } from '../arguments.js';
import type { Audio } from './wav.js';

// Zero crossings of the sinc on each side, and how much of the band is kept: as torchaudio.functional.resample.
const crossings = 6;
const rolloff = 0.99;
const samplesPerTurn = 20_000;

/**
 * A sound at another sample rate, by a sinc kernel under a Hann window (Smith, "Digital Audio Resampling"):
 *
 *     y[n] = Σ_k x[k] c sinc(c (τ - k)) cos²(π c (τ - k) / (2 · 6)),   τ = n · from / to,  c = 0.99 min(1, to / from)
 *
 * over |c (τ - k)| < 6; there is silence before and behind the sound.
 *
 * @param sampleRate of the result: [ceil(samples · to / from)] samples
 * @throws TypeError, RangeError
 */
export async function resample(audio: Audio, sampleRate: number): Promise<Audio> {
  if (!(audio?.samples instanceof Float32Array)) throw wrongKind('audio.samples', 'a Float32Array', audio?.samples);
  const from = checkInteger(audio.sampleRate, 'audio.sampleRate', { min: 1, max: 1e6 });
  const to = checkInteger(sampleRate, 'sampleRate', { min: 1, max: 1e6 });
  const { samples } = audio;
  if (from === to) return { samples: samples.slice(), sampleRate: to };
  const cutoff = rolloff * Math.min(1, to / from);
  const reach = crossings / cutoff;
  const out = new Float32Array(Math.ceil((samples.length * to) / from));
  for (let n = 0; n < out.length; n++) {
    if (n % samplesPerTurn === 0) await setImmediate();
    const time = (n * from) / to;
    const last = Math.min(samples.length - 1, Math.floor(time + reach));
    let sum = 0;
    for (let k = Math.max(0, Math.ceil(time - reach)); k <= last; k++)
      sum += (samples[k] as number) * kernel(cutoff * (time - k));
    out[n] = cutoff * sum;
  }
  return { samples: out, sampleRate: to };
}

function kernel(x: number): number {
  if (x === 0) return 1;
  const angle = Math.PI * x;
  return (Math.sin(angle) / angle) * Math.cos(angle / (2 * crossings)) ** 2;
}
