import { RandomStream } from '../../data/random.js';

// What is masked of a sound: twice up to a fifth of the bands, and for each second up to a fifth of it (at 100 frames per second).
const bandMasks = 2;
const bandShare = 1 / 5;
const framesPerMask = 100;
const maskFrames = 20;
// The streams below belong to the order of the batches.
const firstStream = 2 ** 31;

/**
 * Masks of time and frequency (SpecAugment, Park et al. 2019): 0 where a feature is hidden, else 1.
 *
 * @param step of the training: each has masks of its own
 * @returns [rows, frames, bands]
 */
export function spectrogramMasks(
  [rows, frames, bands]: readonly [number, number, number],
  lengths: ArrayLike<number>,
  seed: number,
  step: number,
): Float32Array {
  const random = new RandomStream(seed, firstStream + (step % firstStream));
  const masks = new Float32Array(rows * frames * bands).fill(1);
  for (let row = 0; row < rows; row++) {
    const own = masks.subarray(row * frames * bands, (row + 1) * frames * bands);
    const length = Math.max(1, lengths[row] as number);
    for (let i = 0; i < bandMasks; i++) {
      const [first, end] = span(random, bands, Math.floor(bands * bandShare));
      for (let frame = 0; frame < length; frame++) own.fill(0, frame * bands + first, frame * bands + end);
    }
    for (let i = 0; i < Math.ceil(length / framesPerMask); i++) {
      const [first, end] = span(random, length, Math.min(maskFrames, Math.floor(length / 5)));
      own.fill(0, first * bands, end * bands);
    }
  }
  return masks;
}

// Somewhere in 0 to size, at most `most` long.
function span(random: RandomStream, size: number, most: number): [first: number, end: number] {
  const length = random.below(most + 1);
  const first = random.below(size - length + 1);
  return [first, first + length];
}
