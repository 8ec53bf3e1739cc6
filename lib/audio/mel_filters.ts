import type { MelSettings } from './mel_front_end.js';

/** The periodic Hann window, in the middle of a transform: [fftSize]. */
export function hannWindow(windowSize: number, fftSize: number): Float64Array {
  const window = new Float64Array(fftSize);
  const start = Math.floor((fftSize - windowSize) / 2);
  for (let n = 0; n < windowSize; n++) window[start + n] = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / windowSize);
  return window;
}

const toMel = (frequency: number) => 2595 * Math.log10(1 + frequency / 700);
const toFrequency = (mel: number) => 700 * (10 ** (mel / 2595) - 1);

/** Triangles with their corners at equal distances on the mel scale: for each band its first bin and the weights from there on. */
export function melFilters({ sampleRate, fftSize, bands, minFrequency, maxFrequency }: MelSettings) {
  const [low, high] = [toMel(minFrequency), toMel(maxFrequency)];
  const corner = (i: number) => toFrequency(low + ((high - low) * i) / (bands + 1));
  return Array.from({ length: bands }, (_, band) => {
    const [left, middle, right] = [corner(band), corner(band + 1), corner(band + 2)];
    const weightAt = (bin: number) => {
      const frequency = (bin * sampleRate) / fftSize;
      return Math.max(0, Math.min((frequency - left) / (middle - left), (right - frequency) / (right - middle)));
    };
    const first = Math.max(0, Math.floor((left * fftSize) / sampleRate));
    const last = Math.min(fftSize / 2, Math.ceil((right * fftSize) / sampleRate));
    return { first, weights: Float64Array.from({ length: last - first + 1 }, (_, k) => weightAt(first + k)) };
  });
}

/** The first rows of the orthonormal DCT-II: [coefficients, bands]. */
export function dctMatrix(coefficients: number, bands: number): Float64Array {
  return Float64Array.from({ length: coefficients * bands }, (_, i) => {
    const [c, b] = [Math.floor(i / bands), i % bands];
    return Math.sqrt((c === 0 ? 1 : 2) / bands) * Math.cos((Math.PI * c * (b + 0.5)) / bands);
  });
}
