import { setImmediate } from 'node:timers/promises';
import { checkInteger } from '../../arguments.js';
import type { DetectionSeries } from './detection_series.js';

// Comparisons between two turns of the event loop: some 20 ms.
const comparisonsPerTurn = 4e6;

/** How far the shapes around each row are from other shapes of the series: [rows] each, zeros for a series of less than 2 lengths. */
export interface SubsequenceDistances {
  /** The mean over the subsequences that hold the row of the distance to the nearest other one, earlier or later. */
  readonly all: Float64Array;
  /** The distance of the subsequence that ends with the row to the nearest earlier one: needs no later row. 0 where none is earlier. */
  readonly past: Float64Array;
}

/**
 * How far the shapes around a row are from all other shapes of the series: the distance of subsequences of `length` rows to the nearest other
 * one that overlaps less than half, of the feature that is farthest. The distance is Euclidean after each
 * subsequence was scaled to mean 0 and deviation 1, and divided by its largest value: 0 the same shape, 1 the opposite. Subsequences that never
 * change are like each other, and halfway from the rest.
 *
 * The matrix profile of C.-C. M. Yeh et al. (2016), and its left half, by diagonals; it takes rows² steps for each feature, and `all` sees all
 * rows at once.
 *
 * @throws TypeError, RangeError
 */
export async function subsequenceDistances(series: DetectionSeries, length: number): Promise<SubsequenceDistances> {
  checkInteger(length, 'length', { min: 2 });
  const rows = series.tableRows.length;
  const features = series.values.length / rows;
  const all = new Float64Array(rows);
  const past = new Float64Array(rows);
  if (rows < 2 * length) return { all, past };
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
      sum += profile.all[row] ?? 0;
      if (row >= length) sum -= profile.all[row - length] ?? 0;
      const holding = Math.min(row, profile.all.length - 1) - Math.max(0, row - length + 1) + 1;
      all[row] = Math.max(all[row] as number, sum / holding);
      past[row] = Math.max(past[row] as number, profile.past[row - length + 1] ?? 0);
    }
  }
  return { all, past };
}

// For each subsequence the distance to its nearest one, and to its nearest earlier one, 0 without any: [rows - length + 1].
async function matrixProfile(values: Float64Array, length: number): Promise<SubsequenceDistances> {
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
  // The largest correlations with an earlier and with a later one.
  const nearest = { earlier: new Float64Array(count).fill(-1), later: new Float64Array(count).fill(-1) };
  const first = Math.ceil(length / 2);
  let done = 0;
  for (let apart = first; apart < count; apart++) {
    alongDiagonal({ values, mean, deviation, length }, apart, nearest);
    done += count - apart;
    if (done > comparisonsPerTurn) {
      done = 0;
      await setImmediate();
    }
  }
  const distance = (correlation: number) => Math.sqrt((1 - correlation) / 2);
  return {
    all: nearest.earlier.map((earlier, i) => distance(Math.max(earlier, nearest.later[i] as number))),
    past: nearest.earlier.map((earlier, i) => (i < first ? 0 : distance(earlier))),
  };
}

// Compares each subsequence with the one that begins `apart` rows later. `nearest`: the largest correlations so far, [subsequences].
function alongDiagonal(
  of: { values: Float64Array; mean: Float64Array; deviation: Float64Array; length: number },
  apart: number,
  nearest: { earlier: Float64Array; later: Float64Array },
): void {
  const { values, mean, deviation, length } = of;
  const { earlier, later } = nearest;
  let product = 0;
  for (let k = 0; k < length; k++) product += (values[k] as number) * (values[k + apart] as number);
  for (let i = 0, j = apart; j < earlier.length; i++, j++) {
    if (i > 0) {
      product += (values[i + length - 1] as number) * (values[j + length - 1] as number);
      product -= (values[i - 1] as number) * (values[j - 1] as number);
    }
    const spread = (deviation[i] as number) * (deviation[j] as number);
    const covariance = product / length - (mean[i] as number) * (mean[j] as number);
    const flat = deviation[i] === deviation[j] ? 1 : 0;
    const correlation = spread > 0 ? Math.min(1, covariance / spread) : flat;
    if (correlation > (later[i] as number)) later[i] = correlation;
    if (correlation > (earlier[j] as number)) earlier[j] = correlation;
  }
}
