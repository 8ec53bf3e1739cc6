import type { Classifier } from './classifier.js';
import { type ClassifierEvaluation, classifierPreprocessingOf } from './evaluate_classifier.js';

/** An evaluation as text: the measures of all examples, those of each class, and the confusion matrix. */
export function classificationTable(model: Classifier, evaluation: ClassifierEvaluation): string {
  const { classes } = classifierPreprocessingOf(model);
  const { scores, logLoss, reliability, rocAuc, averagePrecision, majorityAccuracy, confusion, labels } = evaluation;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const measures: [string, string][] = [
    ['accuracy', `${percent(scores.accuracy)} (always the most frequent class: ${percent(majorityAccuracy)})`],
    ['macro F1', scores.macroF1.toFixed(3)],
    ['log loss', logLoss.toFixed(3)],
    ['calibration error', percent(reliability.expectedCalibrationError)],
    ...(rocAuc === null ? [] : [['ROC AUC', rocAuc.toFixed(3)] as [string, string]]),
    ...(averagePrecision === null ? [] : [['average precision', averagePrecision.toFixed(3)] as [string, string]]),
  ];
  const names = Math.max(...classes.map((name) => name.length), ...measures.map(([name]) => name.length), 5);
  const width = Math.max(...classes.map((name) => name.length), 9) + 2;
  const line = (name: string, cells: readonly (string | number)[]) =>
    `  ${name.padEnd(names)}${cells.map((value) => String(value).padStart(width)).join('')}`;
  const perClass = classes.map((name, c) =>
    line(name, [
      (scores.precision[c] as number).toFixed(3),
      (scores.recall[c] as number).toFixed(3),
      (scores.f1[c] as number).toFixed(3),
      scores.support[c] as number,
    ]),
  );
  const matrix = classes.map((name, label) =>
    line(
      name,
      classes.map((_, c) => confusion[label * classes.length + c] as number),
    ),
  );
  return [
    `${labels.length} examples`,
    ...measures.map(([name, value]) => `  ${name.padEnd(names)}  ${value}`),
    '',
    line('class', ['precision', 'recall', 'F1', 'examples']),
    ...perClass,
    '',
    'label (rows) taken for (columns)',
    line('', classes),
    ...matrix,
  ].join('\n');
}
