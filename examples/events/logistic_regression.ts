import { Adam, data, Linear, losses, noGrad, tensor } from 'cudnn-gru';

/** Rows of numbers with the class of each, 0 or 1. */
export interface LabelledRows {
  readonly rows: readonly (readonly number[])[];
  readonly labels: ArrayLike<number>;
}

/**
 * The probabilities of class 1 by a logistic regression, for `rows`: the baseline that reads features and no sequence. Features are scaled by the
 * training rows; the loss is the cross-entropy with a small penalty on the weights.
 */
export async function logisticRegression(
  train: LabelledRows,
  rows: readonly (readonly number[])[],
  { steps = 300, learningRate = 0.05 } = {},
): Promise<Float64Array> {
  const features = train.rows[0]?.length ?? 0;
  const scaler = data.fitStandardScaler(train.rows.flat(), features);
  const matrix = (of: readonly (readonly number[])[]) => tensor(scaler.transform(of.flat()), [of.length, features]);
  const x = matrix(train.rows);
  const y = tensor(Int32Array.from(train.labels));
  const model = new Linear({ inputSize: features, outputSize: 2 });
  const optimizer = new Adam(model.parameters(), { learningRate, weightDecay: 1e-4 });
  for (let step = 0; step < steps; step++) {
    const loss = losses.crossEntropy(model.forward(x), y);
    loss.backward();
    await optimizer.step();
    optimizer.zeroGrad();
    loss.dispose();
  }
  const probabilities = await noGrad(() => model.forward(matrix(rows)).softmax()).data();
  for (const one of [x, y, model, optimizer]) one.dispose();
  return Float64Array.from({ length: rows.length }, (_, row) => probabilities[2 * row + 1] as number);
}
