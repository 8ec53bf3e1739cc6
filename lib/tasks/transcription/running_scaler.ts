import type { Scaler } from '../../data/index.js';

// What the training's mean counts for: 2 s at 10 ms.
const priorFrames = 200;

/**
 * Normalises frames by the mean of those of the sound so far, each with itself, and the deviation σ of the training, whose mean μ counts as 200
 * frames before (as the online normalisation of Kaldi, which has no σ):
 *
 *     y_t = (x_t - (200 μ + Σ_{i ≤ t} x_i) / (200 + t)) / σ
 */
export class RunningScaler {
  readonly #sums: Float64Array;
  readonly #scale: Float64Array;
  #count = priorFrames;

  constructor({ offset, scale }: Scaler) {
    this.#sums = offset.map((mean) => priorFrames * mean);
    this.#scale = scale;
  }

  /** @param values [frames, features] */
  transform(values: Float32Array): Float32Array {
    const features = this.#sums.length;
    return values.map((value, i) => {
      const feature = i % features;
      if (feature === 0) this.#count++;
      const sum = (this.#sums[feature] as number) + value;
      this.#sums[feature] = sum;
      return (value - sum / this.#count) / (this.#scale[feature] as number);
    });
  }
}
