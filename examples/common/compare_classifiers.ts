// A text classifier against logistic regression on the same folds.
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
  /** Only the first fold. */
  readonly short: boolean;
  readonly seed: number;
  /** Where the last fold's model and its report go. */
  readonly output: string;
}

/** Cross-validation in five folds: prints both accuracies, and their difference with its 95% interval, example by example. */
export async function compareClassifiers({
  texts,
  labels,
  featuresOf,
  penalty,
  settings,
  ...run
}: Comparison): Promise<void> {
  const classes = [...new Set(labels)].sort();
  const features = texts.map(featuresOf);
  const numbers = labels.map((label) => classes.indexOf(label));
  const right: Record<string, number[]> = { 'most frequent class': [], 'logistic regression': [], GRU: [] };
  const display = await progressDisplay();
  const begin = performance.now();
  for (const [fold, { train, test }] of data.kFold(texts.length, { seed: run.seed }).entries()) {
    if (run.short && fold > 0) break;
    const [known, asked] = [train, test].map(
      (part) =>
        <T>(all: readonly T[]) =>
          Array.from(part, (i) => all[i] as T),
    ) as [Pick, Pick];
    const trained = await tasks.trainTextClassifier({
      ...settings,
      texts: known(texts),
      labels: known(labels),
      test: 0,
      seed: run.seed + fold,
      onProgress: display.onProgress,
    });
    const evaluation = await tasks.evaluateTextClassifier(trained.model, asked(texts), asked(labels));
    const answers: Record<string, readonly number[]> = {
      'most frequent class': new Array<number>(test.length).fill(mostFrequent(known(numbers))),
      'logistic regression': await logisticRegression(
        { features: known(features as Features), labels: known(numbers) },
        asked(features as Features),
        { classes: classes.length, penalty },
      ),
      GRU: (await tasks.classifyTexts(trained.model, asked(texts))).labels.map((label) => classes.indexOf(label)),
    };
    for (const [name, found] of Object.entries(answers))
      right[name]?.push(...asked(numbers).map((label, i) => Number(found[i] === label)));
    await saveModel(`${run.output}model.safetensors`, trained.model);
    await tasks.writeClassifierReport(`${run.output}report.html`, { ...trained, evaluation });
    trained.model.dispose();
  }
  display.stop();
  console.log(`${texts.length} texts, 5 folds, ${((performance.now() - begin) / 1000).toFixed(0)} s\n`);
  for (const [name, found] of Object.entries(right)) console.log(`  ${name.padEnd(22)}${percent(mean(found))}`);
  const differences = right.GRU?.map((one, i) => one - (right['logistic regression']?.[i] as number)) ?? [];
  const deviation = Math.sqrt(mean(differences.map((one) => (one - mean(differences)) ** 2)) / differences.length);
  const [low, high] = [-1.96, 1.96].map((z) => percent(mean(differences) + z * deviation));
  console.log(`  GRU - regression      ${percent(mean(differences))} (95% interval ${low} to ${high})`);
  console.log(`\nmodel:  ${run.output}model.safetensors\nreport: ${run.output}report.html`);
}

type Pick = <T>(all: readonly T[]) => T[];

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const percent = (share: number) => `${(100 * share).toFixed(1)}%`;

function mostFrequent(labels: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] as number;
}
