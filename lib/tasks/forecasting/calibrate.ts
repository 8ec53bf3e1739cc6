import type { Compute } from './predict_windows.js';
import type { ForecastWindows } from './windows.js';

const windowsPerBatch = 256;

/**
 * What is to be added to each quantile at each step so that, of n validation windows, a share q of what came lies at or below the quantile of
 * level q: conformal prediction, which holds for later rows as far as they are like those of validation (Y. Romano, E. Patterson, E. Candès,
 * "Conformalized quantile regression", 2019; here each level for itself). The median stays as it is.
 *
 * @returns [horizon, quantiles], in units of the target's scaler
 */
export async function fitMargins(compute: Compute, windows: ForecastWindows, starts: Int32Array): Promise<number[]> {
  const { horizon, quantiles } = windows.preprocessing;
  const levels = quantiles.length;
  const differences = Array.from({ length: horizon * levels }, () => new Float64Array(starts.length));
  for (let first = 0; first < starts.length; first += windowsPerBatch) {
    const batch = starts.subarray(first, first + windowsPerBatch);
    const answers = await compute(windows.inputsAt(batch));
    const { data: wanted } = windows.targetsAt(batch);
    for (let i = 0; i < batch.length; i++) {
      for (let at = 0; at < horizon * levels; at++) {
        const came = wanted[i * horizon + Math.floor(at / levels)] as number;
        (differences[at] as Float64Array)[first + i] = came - (answers[i * horizon * levels + at] as number);
      }
    }
  }
  return differences.map((all, at) => {
    const level = quantiles[at % levels] as number;
    if (level === 0.5) return 0;
    const sorted = all.sort();
    // Towards the outside, where n is small.
    const rank = level < 0.5 ? Math.floor(level * (all.length + 1)) : Math.ceil(level * (all.length + 1));
    return sorted[Math.min(all.length, Math.max(1, rank)) - 1] as number;
  });
}
