import type { Classifier, ClassifierEvaluation, TrainedClassifier } from '../../tasks/classification/index.js';
import type { Options } from '../options.js';
import { printJson, printText } from '../output.js';
import type { TrainingEnd } from './training_run.js';

/** What is done with a finished training of a classifier. */
export async function classificationEnd(): Promise<TrainingEnd<TrainedClassifier>> {
  const { classificationTable, writeClassifierReport } = await import('../../tasks/index.js');
  return {
    report: (path, trained) => writeClassifierReport(path, trained),
    text: async ({ model, evaluation }) => (evaluation ? classificationTable(model, evaluation) : undefined),
    json: ({ evaluation }) => evaluation && { ...evaluation, probabilities: undefined, labels: undefined },
  };
}

/** Prints how good a classifier is. @param data the file it was measured on */
export async function printEvaluation(
  { path, model }: { path: string; model: Classifier },
  data: string,
  evaluation: ClassifierEvaluation,
  options: Options,
): Promise<void> {
  const { classificationTable } = await import('../../tasks/index.js');
  const { probabilities, labels, ...measured } = evaluation;
  if (options.flag('json')) printJson({ model: path, data, examples: labels.length, ...measured });
  else printText(classificationTable(model, evaluation));
}
