// How good predicted probabilities of an event are, as a table.
import { metrics } from 'cudnn-gru';

/** Prints a line for each who predicts. `labels`: 1 where the event came. */
export function printScores(
  title: string,
  width: number,
  predictions: Readonly<Record<string, Float32Array | Float64Array>>,
  labels: readonly number[],
): void {
  console.log(`${title.padEnd(width)}  ROC AUC  average precision  log loss`);
  for (const [who, of] of Object.entries(predictions)) {
    const both = Float64Array.from({ length: 2 * of.length }, (_, i) => Math.abs(1 - (i % 2) - (of[i >> 1] as number)));
    const numbers = [
      metrics.rocAuc(of, labels).toFixed(4).padStart(7),
      metrics.averagePrecision(of, labels).toFixed(4).padStart(17),
      metrics.logLoss(both, labels, 2).toFixed(4).padStart(8),
    ];
    console.log(`${who.padEnd(width)}  ${numbers.join('  ')}`);
  }
}
