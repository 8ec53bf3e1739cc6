import { noGrad } from '../../autograd/tape.js';
import { upload } from '../../ops/result.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type DetectionSeries, scaledRows } from './detection_series.js';
import type { AnomalyDetector } from './detector.js';
import { type DetectionPreprocessing, detectionPreprocessingOf } from './preprocessing.js';

// Rows that are read together: of a long series, and windows of an autoencoder.
const rowsPerCall = 4096;

/**
 * How unusual each row is: the root of the mean, over the features, of its squared error in units of what normal rows have,
 * √(1/F Σ_f ((x - x̂)_f / σ_f)²). About 1 for a normal row.
 *
 * @returns [rows]
 * @throws CudnnGruError `ERR_FORMAT` for a model without preprocessing
 */
export async function scoreRows(model: AnomalyDetector, series: DetectionSeries): Promise<Float64Array> {
  const preprocessing = detectionPreprocessingOf(model);
  const errors = await errorsOf(model, scaledRows(series, preprocessing), preprocessing.window);
  return scoresOf(errors, preprocessing);
}

/** @internal From errors [rows, features] in scaled units to scores [rows]. */
export function scoresOf(
  errors: Float32Array,
  { errorScale }: Pick<DetectionPreprocessing, 'errorScale'>,
): Float64Array {
  const features = errorScale.length;
  return Float64Array.from({ length: errors.length / features }, (_, row) => {
    let sum = 0;
    for (const [i, scale] of errorScale.entries()) sum += ((errors[row * features + i] as number) / scale) ** 2;
    return Math.sqrt(sum / features);
  });
}

/** @internal x - x̂ for every row: [rows, features] of scaled rows [rows, features]. */
export async function errorsOf(model: AnomalyDetector, rows: Float32Array, window: number): Promise<Float32Array> {
  const wasTraining = model.training;
  model.eval();
  try {
    return model.method === 'forecast'
      ? await forecastErrors(model, rows)
      : await reconstructionErrors(model, rows, window);
  } finally {
    if (wasTraining) model.train();
  }
}

// The state goes on from piece to piece, so that cutting the series changes nothing.
async function forecastErrors(model: AnomalyDetector, rows: Float32Array): Promise<Float32Array> {
  const { inputSize } = model.gru;
  const errors = new Float32Array(rows.length);
  let carried: Tensor | null = null;
  try {
    for (let start = 0; start < rows.length; start += rowsPerCall * inputSize) {
      const piece = rows.subarray(start, start + rowsPerCall * inputSize);
      const before: Tensor | null = carried;
      const { expected, hidden }: { expected: Tensor; hidden: Tensor } = scope(() =>
        noGrad(() =>
          model.forward(upload(piece, [1, piece.length / inputSize, inputSize], model.head.weight.on), {
            hidden: before,
          }),
        ),
      );
      before?.dispose();
      carried = hidden;
      const guess = await expected.data();
      expected.dispose();
      for (const [i, value] of piece.entries()) errors[start + i] = value - (guess[i] as number);
    }
  } finally {
    carried?.dispose();
  }
  return errors;
}

// Each row is judged by the window that ends with it, which at the beginning is a shorter one.
async function reconstructionErrors(model: AnomalyDetector, rows: Float32Array, window: number): Promise<Float32Array> {
  const { inputSize } = model.gru;
  const count = rows.length / inputSize;
  const errors = new Float32Array(rows.length);
  const together = Math.max(1, Math.floor(rowsPerCall / window));
  for (let first = 0; first < count; first += together) {
    const batch = Math.min(together, count - first);
    const inputs = new Float32Array(batch * window * inputSize);
    const lengths = new Int32Array(batch);
    for (let i = 0; i < batch; i++) {
      const end = first + i + 1;
      lengths[i] = Math.min(window, end);
      inputs.set(rows.subarray((end - (lengths[i] as number)) * inputSize, end * inputSize), i * window * inputSize);
    }
    const expected = scope(() =>
      noGrad(() => {
        const x = upload(inputs, [batch, window, inputSize], model.head.weight.on);
        return model.forward(x, { lengths }).expected;
      }),
    );
    const guess = await expected.data();
    expected.dispose();
    for (let i = 0; i < batch; i++) {
      const at = (i * window + (lengths[i] as number) - 1) * inputSize;
      for (let f = 0; f < inputSize; f++) {
        errors[(first + i) * inputSize + f] = (inputs[at + f] as number) - (guess[at + f] as number);
      }
    }
  }
  return errors;
}
