// A text classifier, or the mean of several, against logistic regression on the same folds.
import { data, progressDisplay, saveModel, tasks } from 'cudnn-gru';
import { type Features, logisticRegression } from './linear_baseline.js';

export interface Comparison {
  readonly texts: readonly string[];
  readonly labels: readonly string[];
  /** What logistic regression counts in a text. */
  readonly featuresOf: (text: string) => readonly string[];
  /** Of its weights; chosen for the best result of the baseline. */
  readonly penalty: number;
  /** Those of the text classifier. */
  readonly settings: Omit<tasks.TrainTextClassifierOptions, 'texts' | 'labels'>;
  /** Trainings of each fold, with a seed each; beside the first alone the mean of their probabilities is judged. Default: 1. */
  readonly trainings?: number;
  /** Only the first fold. */
  readonly short: boolean;
  readonly seed: number;
  /** Where the last fold's model and its report go. */
  readonly output: string;
}

/** Cross-validation in five folds: prints all accuracies, and the difference to the regression with its 95% interval, example by example. */
export async function compareClassifiers({
  texts,
  labels,
  featuresOf,
  penalty,
  settings,
  trainings = 1,
  ...run
}: Comparison): Promise<void> {
  const classes = [...new Set(labels)].sort();
  const features = texts.map(featuresOf);
  const numbers = labels.map((label) => classes.indexOf(label));
  const right = new Map<string, number[]>();
  const display = await progressDisplay();
  const begin = performance.now();
  for (const [fold, { train, test }] of data.kFold(texts.length, { seed: run.seed }).entries()) {
    if (run.short && fold > 0) break;
    const [known, asked] = [train, test].map(
      (part) =>
        <T>(all: readonly T[]) =>
          Array.from(part, (i) => all[i] as T),
    ) as [Pick, Pick];
    const answers: Record<string, readonly number[]> = {
      'most frequent class': new Array<number>(test.length).fill(mostFrequent(known(numbers))),
      'logistic regression': await logisticRegression(
        { features: known(features as Features), labels: known(numbers) },
        asked(features as Features),
        { classes: classes.length, penalty },
      ),
    };
    const sum = new Float64Array(test.length * classes.length);
    for (let n = 0; n < trainings; n++) {
      const trained = await tasks.trainTextClassifier({
        ...settings,
        texts: known(texts),
        labels: known(labels),
        test: 0,
        seed: run.seed + fold + 100 * n,
        onProgress: display.onProgress,
      });
      const evaluation = await tasks.evaluateTextClassifier(trained.model, asked(texts), asked(labels));
      for (const [i, probability] of evaluation.probabilities.entries()) sum[i] = (sum[i] as number) + probability;
      if (n === 0) {
        answers.GRU = likeliest(sum, classes.length);
        await saveModel(`${run.output}model.safetensors`, trained.model);
        await tasks.writeClassifierReport(`${run.output}report.html`, { ...trained, evaluation });
      }
      trained.model.dispose();
    }
    if (trainings > 1) answers[`mean of ${trainings} GRUs`] = likeliest(sum, classes.length);
    for (const [name, found] of Object.entries(answers)) {
      const hits = asked(numbers).map((label, i) => Number(found[i] === label));
      right.set(name, [...(right.get(name) ?? []), ...hits]);
    }
  }
  display.stop();
  console.log(`${texts.length} texts, 5 folds, ${((performance.now() - begin) / 1000).toFixed(0)} s\n`);
  for (const [name, found] of right) console.log(`  ${name.padEnd(28)}${percent(mean(found))}`);
  const regression = right.get('logistic regression') ?? [];
  for (const [name, found] of right) {
    if (!name.includes('GRU')) continue;
    const differences = found.map((one, i) => one - (regression[i] as number));
    const deviation = Math.sqrt(mean(differences.map((one) => (one - mean(differences)) ** 2)) / differences.length);
    const [low, high] = [-1.96, 1.96].map((z) => percent(mean(differences) + z * deviation));
    console.log(`  ${`${name} - regression`.padEnd(28)}${percent(mean(differences))} (95% interval ${low} to ${high})`);
  }
  console.log(`\nmodel:  ${run.output}model.safetensors\nreport: ${run.output}report.html`);
}

type Pick = <T>(all: readonly T[]) => T[];

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const percent = (share: number) => `${(100 * share).toFixed(1)}%`;

/** The class with the highest score of each example: [examples]. @param scores [examples, classes] */
function likeliest(scores: Float64Array, classes: number): number[] {
  return Array.from({ length: scores.length / classes }, (_, i) => {
    const row = scores.subarray(i * classes, (i + 1) * classes);
    return row.indexOf(Math.max(...row));
  });
}

function mostFrequent(labels: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] as number;
}
