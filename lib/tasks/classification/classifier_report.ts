import { classifierPreprocessingOf } from './evaluate_classifier.js';
import type { TextClassifierPreprocessing } from './text_inputs.js';
import type { TrainedClassifier } from './train_classifier.js';

/**
 * Writes one self-contained HTML file about a training: loss curves, confusion matrix, measures of each class, reliability diagram, the
 * configuration.
 *
 * @throws CudnnGruError `ERR_FILE`
 */
export async function writeClassifierReport(
  path: string,
  { model, result, evaluation }: TrainedClassifier,
  options: { title?: string } = {},
): Promise<void> {
  // A vocabulary is no reading; its size stands among the model's options.
  const { classes, task, tokenizer, ...data } = classifierPreprocessingOf(model) as TextClassifierPreprocessing;
  const { writeClassificationReport } = await import('../../report/index.js');
  await writeClassificationReport(path, {
    title: options.title ?? 'Classification of sequences',
    subtitle: classes.join(', '),
    configuration: { model: model.architecture().options, data, training: model.summary },
    history: result.history,
    classes,
    measured: evaluation && {
      examples: evaluation.labels.length,
      majorityAccuracy: evaluation.majorityAccuracy,
      logLoss: evaluation.logLoss,
      rocAuc: evaluation.rocAuc,
      confusion: evaluation.confusion,
      ...evaluation.scores,
      confidence: evaluation.reliability.confidence,
      accuracyOfBins: evaluation.reliability.accuracy,
      counts: evaluation.reliability.counts,
    },
  });
}
