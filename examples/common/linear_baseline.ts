// Logistic regression on counted features (words, n-grams): what a text classifier without memory reaches.
import { AdamW, Embedding, Generator, losses, noGrad, scope, type Tensor, tensor } from 'cudnn-gru';

/** The features of each example, by name; one may come several times. */
export type Features = readonly (readonly string[])[];

/** Feature numbers, filled up with 0; features that `known` lacks are left out. */
function numbered(features: Features, known: ReadonlyMap<string, number>): Tensor {
  const rows = features.map((names) => names.flatMap((name) => known.get(name) ?? []));
  const longest = Math.max(1, ...rows.map((row) => row.length));
  const data = new Int32Array(rows.length * longest);
  for (const [i, row] of rows.entries()) data.set(row, i * longest);
  return tensor(data, [rows.length, longest]);
}

/**
 * softmax regression: logits = b + Σ_features w, by full-batch AdamW on cross-entropy + penalty / 2 · Σ w².
 *
 * @returns the likeliest class of each example of `test`
 */
export async function logisticRegression(
  train: { features: Features; labels: readonly number[] },
  test: Features,
  { classes, penalty, steps = 200 }: { classes: number; penalty: number; steps?: number },
): Promise<number[]> {
  const known = new Map([...new Set(train.features.flat())].map((name, i) => [name, i + 2] as const));
  // Row 0 stands for nothing, row 1 is the bias of every example.
  const weights = new Embedding({
    vocabularySize: known.size + 2,
    embeddingSize: classes,
    paddingIndex: 0,
    generator: new Generator(0),
  });
  weights.weight.write(new Float32Array(weights.weight.size));
  known.set('', 1);
  const inputs = (features: Features) =>
    numbered(
      features.map((names) => ['', ...names]),
      known,
    );
  const [x, y] = [inputs(train.features), tensor(Int32Array.from(train.labels))];
  const optimizer = new AdamW(weights.parameters(), { learningRate: 0.05, weightDecay: 0 });
  for (let step = 0; step < steps; step++) {
    optimizer.learningRate = 0.05 * (1 - step / steps);
    scope(() => {
      const loss = losses.crossEntropy(weights.forward(x).sum(1), y);
      loss
        .add(
          weights.weight
            .mul(weights.weight)
            .sum()
            .mul(penalty / 2),
        )
        .backward();
    });
    await optimizer.step();
    optimizer.zeroGrad();
  }
  const logits = await scope(() => noGrad(() => weights.forward(inputs(test)).sum(1))).data();
  for (const one of [x, y, weights, optimizer]) one.dispose();
  return test.map((_, i) => {
    const row = logits.slice(i * classes, (i + 1) * classes);
    return row.indexOf(Math.max(...row));
  });
}

/** The share of equal entries. */
export function accuracy(answers: readonly unknown[], labels: readonly unknown[]): number {
  return answers.filter((answer, i) => answer === labels[i]).length / labels.length;
}
