import type { DetectionSeries } from './detection_series.js';

// What can be detected without a model: scores like those of `scoreRows`, higher for stranger rows.

/**
 * How many standard deviations a row is away from the mean of the first `known` rows, of the feature that is farthest.
 * @returns [rows]
 */
export function zScores({ values, tableRows }: DetectionSeries, known: number): Float64Array {
  const rows = tableRows.length;
  const features = values.length / rows;
  const first = Math.min(known, rows);
  const scores = new Float64Array(rows);
  for (let f = 0; f < features; f++) {
    let sum = 0;
    for (let row = 0; row < first; row++) sum += values[row * features + f] as number;
    const mean = sum / first;
    let squares = 0;
    for (let row = 0; row < first; row++) squares += ((values[row * features + f] as number) - mean) ** 2;
    const deviation = Math.sqrt(squares / first) || 1;
    for (let row = 0; row < rows; row++) {
      const distance = Math.abs((values[row * features + f] as number) - mean) / deviation;
      scores[row] = Math.max(scores[row] as number, distance);
    }
  }
  return scores;
}

/**
 * How many standard deviations a row is away from the mean of the `window` rows before it, of the feature that is farthest; 0 while there
 * are less than 8 rows before.
 * @returns [rows]
 */
export function rollingZScores({ values, tableRows }: DetectionSeries, window: number): Float64Array {
  const rows = tableRows.length;
  const features = values.length / rows;
  const scores = new Float64Array(rows);
  for (let f = 0; f < features; f++) {
    const at = (row: number) => values[row * features + f] as number;
    for (let row = 8; row < rows; row++) {
      const first = Math.max(0, row - window);
      let [mean, squares] = [0, 0];
      for (let before = first; before < row; before++) mean += at(before) / (row - first);
      for (let before = first; before < row; before++) squares += (at(before) - mean) ** 2;
      const distance = Math.abs(at(row) - mean) / (Math.sqrt(squares / (row - first)) || 1);
      scores[row] = Math.max(scores[row] as number, distance);
    }
  }
  return scores;
}

/**
 * How far a row lies outside the range from the 5% to the 95% quantile of the `window` rows before it, in widths of that range, of the
 * feature that is farthest; 0 inside, and while there are less than 8 rows before.
 * @returns [rows]
 */
export function rollingQuantileScores({ values, tableRows }: DetectionSeries, window: number): Float64Array {
  const rows = tableRows.length;
  const features = values.length / rows;
  const scores = new Float64Array(rows);
  for (let f = 0; f < features; f++) {
    for (let row = 8; row < rows; row++) {
      const before = Float64Array.from(
        { length: Math.min(window, row) },
        (_, i) => values[(row - 1 - i) * features + f] as number,
      ).sort();
      const at = (share: number) => before[Math.round(share * (before.length - 1))] as number;
      const [low, high] = [at(0.05), at(0.95)];
      const value = values[row * features + f] as number;
      const outside = Math.max(0, low - value, value - high) / (high - low || 1);
      scores[row] = Math.max(scores[row] as number, outside);
    }
  }
  return scores;
}
