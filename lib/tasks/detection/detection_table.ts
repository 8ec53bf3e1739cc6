import type { DetectorEvaluation } from './evaluate_detector.js';

/** An evaluation as text: how well the scores rank, beside the simple detectors', and the alarms row by row and event by event. */
export function detectionTable(evaluation: DetectorEvaluation): string {
  const { averagePrecision, rocAuc, labels, labelled, baselines, rows, events } = evaluation;
  const ranked = Object.entries({ GRU: { averagePrecision, rocAuc }, ...baselines });
  const width = Math.max(...ranked.map(([name]) => name.length)) + 2;
  const line = (name: string, cells: readonly string[]) =>
    `${name.padEnd(width + 2)}${cells.map((cell) => cell.padStart(19)).join('')}`;
  const alarms = (name: string, { precision, recall, f1 }: DetectorEvaluation['rows']) =>
    line(
      name,
      [precision, recall, f1].map((value) => value.toFixed(3)),
    );
  return [
    `${labels.length} rows, ${(100 * labelled).toFixed(2)} % of them anomalous`,
    line('score', ['average precision', 'ROC AUC']),
    ...ranked.map(([name, scores]) =>
      line(`  ${name}`, [scores.averagePrecision.toFixed(3), scores.rocAuc.toFixed(3)]),
    ),
    line('alarms', ['precision', 'recall', 'F1']),
    alarms('  by row', rows),
    alarms('  by event', events),
    `  ${events.found} of ${events.events} events found; ${events.falseAlarms} of ${events.alarms} alarms false`,
  ].join('\n');
}
