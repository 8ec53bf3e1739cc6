import type { RandomStream } from '../../data/random.js';

const kinds = ['shift', 'noise', 'splice', 'reverse', 'freeze', 'spike'] as const;

/**
 * @internal Rows with artificial anomalies: a feature is shifted, noisy, frozen, run backwards or has a spike, or all rows come from another
 * time. They last from half a window to six, short ones as often as long ones, a spike one row; at least three windows lie between them.
 *
 * @param rows [rows, features], scaled to a deviation of about 1; not changed
 * @returns rows [rows, features]; labels [rows], 1 where something was changed
 */
export function injectAnomalies(
  rows: Float32Array,
  features: number,
  window: number,
  random: RandomStream,
): { rows: Float32Array; labels: Uint8Array } {
  const count = rows.length / features;
  const out = rows.slice();
  const labels = new Uint8Array(count);
  const between = (low: number, high: number) => low + (high - low) * (random.word() / 2 ** 32);
  const signed = (low: number, high: number) => between(low, high) * (random.below(2) === 0 ? 1 : -1);
  let start = 2 * window;
  for (let n = random.below(kinds.length); ; n++) {
    const kind = kinds[n % kinds.length] as (typeof kinds)[number];
    const length = kind === 'spike' ? 1 : Math.max(2, Math.round(2 ** between(-1, Math.log2(6)) * window));
    if (start + length > count) return { rows: out, labels };
    const feature = random.below(features);
    const level = signed(0.5, 2);
    const noise = between(0.25, 1);
    const from = random.below(count - length + 1);
    for (let i = 0; i < length; i++) {
      const row = start + i;
      const at = row * features + feature;
      const value = rows[at] as number;
      if (kind === 'splice') {
        out.set(rows.subarray((from + i) * features, (from + i + 1) * features), row * features);
      } else if (kind === 'shift') out[at] = value + level;
      else if (kind === 'spike') out[at] = value + 2 * level;
      else if (kind === 'noise') out[at] = value + noise * Math.sqrt(3) * between(-1, 1);
      else if (kind === 'freeze') out[at] = rows[start * features + feature] as number;
      else out[at] = rows[(start + length - 1 - i) * features + feature] as number;
      labels[row] = 1;
    }
    start += length + Math.round(between(3, 6) * window);
  }
}
