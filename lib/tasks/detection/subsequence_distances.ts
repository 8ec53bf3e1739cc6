import { setImmediate } from 'node:timers/promises';
import { checkInteger } from '../../arguments.js';
import type { DetectionSeries } from './detection_series.js';

// Comparisons between two turns of the event loop: some 20 ms.
const comparisonsPerTurn = 4e6;

/**
 * How far the shapes around a row are from all other shapes of the series: the mean, over the subsequences of `length` rows that hold it, of the
 * distance to the nearest other one that overlaps less than half, of the feature that is farthest. The distance is Euclidean after each
 * subsequence was scaled to mean 0 and deviation 1, and divided by its largest value: 0 the same shape, 1 the opposite. Subsequences that never
 * change are like each other, and halfway from the rest.
 *
 * The matrix profile of C.-C. M. Yeh et al. (2016), by diagonals; it takes rows² steps for each feature, and sees all rows at once.
 *
 * @returns [rows]; zeros for a series of less than 2 lengths
 * @throws TypeError, RangeError
 */
export async function subsequenceDistances(series: DetectionSeries, length: number): Promise<Float64Array> {
  checkInteger(length, 'length', { min: 2 });
  const rows = series.tableRows.length;
  const features = series.values.length / rows;
  const scores = new Float64Array(rows);
  if (rows < 2 * length) return scores;
  for (let f = 0; f < features; f++) {
    const values = Float64Array.from({ length: rows }, (_, row) => series.values[row * features + f] as number);
    const mean = values.reduce((sum, value) => sum + value / rows, 0);
    // Around 0 the products below lose the fewest digits.
    const profile = await matrixProfile(
      values.map((value) => value - mean),
      length,
    );
    // Sums of the profile over the subsequences that hold a row.
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      sum += profile[row] ?? 0;
      if (row >= length) sum -= profile[row - length] ?? 0;
      const holding = Math.min(row, profile.length - 1) - Math.max(0, row - length + 1) + 1;
      scores[row] = Math.max(scores[row] as number, sum / holding);
    }
  }
  return scores;
}

// For each subsequence the distance to its nearest one: [rows - length + 1].
async function matrixProfile(values: Float64Array, length: number): Promise<Float64Array> {
  const count = values.length - length + 1;
  const mean = new Float64Array(count);
  const deviation = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const part = values.subarray(i, i + length);
    mean[i] = part.reduce((sum, value) => sum + value, 0) / length;
    deviation[i] = Math.sqrt(part.reduce((sum, value) => sum + (value - (mean[i] as number)) ** 2, 0) / length);
  }
  // What is left of a constant after rounding is no shape.
  const least = 1e-7 * deviation.reduce((most, one) => Math.max(most, one), 0);
  for (let i = 0; i < count; i++) if ((deviation[i] as number) <= least) deviation[i] = 0;
  const nearest = new Float64Array(count).fill(-1); // the largest correlation
  let done = 0;
  for (let apart = Math.ceil(length / 2); apart < count; apart++) {
    alongDiagonal({ values, mean, deviation, length }, apart, nearest);
    done += count - apart;
    if (done > comparisonsPerTurn) {
      done = 0;
      await setImmediate();
    }
  }
  return nearest.map((correlation) => Math.sqrt((1 - correlation) / 2));
}

// Compares each subsequence with the one that begins `apart` rows later. `nearest`: the largest correlation so far, [subsequences].
function alongDiagonal(
  of: { values: Float64Array; mean: Float64Array; deviation: Float64Array; length: number },
  apart: number,
  nearest: Float64Array,
): void {
  const { values, mean, deviation, length } = of;
  let product = 0;
  for (let k = 0; k < length; k++) product += (values[k] as number) * (values[k + apart] as number);
  for (let i = 0, j = apart; j < nearest.length; i++, j++) {
    if (i > 0) {
      product += (values[i + length - 1] as number) * (values[j + length - 1] as number);
      product -= (values[i - 1] as number) * (values[j - 1] as number);
    }
    const spread = (deviation[i] as number) * (deviation[j] as number);
    const covariance = product / length - (mean[i] as number) * (mean[j] as number);
    const flat = deviation[i] === deviation[j] ? 1 : 0;
    const correlation = spread > 0 ? Math.min(1, covariance / spread) : flat;
    if (correlation > (nearest[i] as number)) nearest[i] = correlation;
    if (correlation > (nearest[j] as number)) nearest[j] = correlation;
  }
}
