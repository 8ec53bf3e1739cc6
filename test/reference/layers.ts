import { Array64, item, range } from './array64.js';
import { dropoutFactors, type Stream } from './philox.js';

/** y = x Wᵀ + b. x [rows, I], weight [O, I], bias [O]. */
export function linearForward(x: Array64, weight: Array64, bias: Array64 | null): Array64 {
  const y = new Array64([x.size(0), weight.size(0)]);
  for (const row of range(x.size(0))) {
    for (const o of range(weight.size(0))) {
      let sum = bias === null ? 0 : bias.at(o);
      for (let i = 0; i < x.size(1); ++i) sum += x.at(row, i) * weight.at(o, i);
      y.set(sum, row, o);
    }
  }
  return y;
}

export function linearBackward(x: Array64, weight: Array64, yGrad: Array64) {
  const grads = {
    x: Array64.zerosLike(x),
    weight: Array64.zerosLike(weight),
    bias: new Array64([weight.size(0)]),
  };
  for (const row of range(x.size(0))) {
    for (const o of range(weight.size(0))) {
      const grad = yGrad.at(row, o);
      grads.bias.add(grad, o);
      for (let i = 0; i < x.size(1); ++i) {
        grads.x.add(grad * weight.at(o, i), row, i);
        grads.weight.add(grad * x.at(row, i), o, i);
      }
    }
  }
  return grads;
}

/** Each of a batch of matrices with its two axes exchanged. */
export function transposed(a: Array64): Array64 {
  const out = new Array64([a.size(0), a.size(2), a.size(1)]);
  for (const i of range(a.size(0)))
    for (const row of range(a.size(1)))
      for (const column of range(a.size(2))) out.set(a.at(i, row, column), i, column, row);
  return out;
}

/** c[i] = a[i] b[i]: [batch, m, k] and [batch, k, n] give [batch, m, n]. */
export function matmulForward(a: Array64, b: Array64): Array64 {
  const c = new Array64([a.size(0), a.size(1), b.size(2)]);
  for (const i of range(c.size(0)))
    for (const row of range(c.size(1)))
      for (const column of range(c.size(2)))
        for (let k = 0; k < a.size(2); ++k) c.add(a.at(i, row, k) * b.at(i, k, column), i, row, column);
  return c;
}

/** With C = A B: the gradient of A is that of C times Bᵀ, the gradient of B is Aᵀ times that of C. */
export function matmulBackward(a: Array64, b: Array64, cGrad: Array64): [Array64, Array64] {
  return [matmulForward(cGrad, transposed(b)), matmulForward(transposed(a), cGrad)];
}

/** y[i] = weight[ids[i]]. */
export function embeddingForward(ids: readonly number[], weight: Array64): Array64 {
  const y = new Array64([ids.length, weight.size(1)]);
  for (const [i, id] of ids.entries()) for (const c of range(weight.size(1))) y.set(weight.at(id, c), i, c);
  return y;
}

/** The row of the padding index gets no gradient. */
export function embeddingBackward(
  ids: readonly number[],
  weight: Array64,
  paddingIndex: number | null,
  yGrad: Array64,
): Array64 {
  const weightGrad = Array64.zerosLike(weight);
  for (const [i, id] of ids.entries()) {
    if (id === paddingIndex) continue;
    for (const c of range(weight.size(1))) weightGrad.add(yGrad.at(i, c), id, c);
  }
  return weightGrad;
}

/** The mean of each row and 1 / sqrt(variance + epsilon), the variance divided by the number of columns. */
function rowMoments(x: Array64, row: number, epsilon: number): { mean: number; rstd: number } {
  const columns = range(x.size(1));
  const mean = columns.reduce((sum, c) => sum + x.at(row, c), 0) / columns.length;
  const variance = columns.reduce((sum, c) => sum + (x.at(row, c) - mean) ** 2, 0) / columns.length;
  return { mean, rstd: 1 / Math.sqrt(variance + epsilon) };
}

/** Ba, Kiros, Hinton 2016: y = (x - mean) · rstd · weight + bias over each row of x [rows, columns]. */
export function layerNormForward(x: Array64, weight: Array64 | null, bias: Array64 | null, epsilon: number): Array64 {
  const y = Array64.zerosLike(x);
  for (const row of range(x.size(0))) {
    const { mean, rstd } = rowMoments(x, row, epsilon);
    for (const c of range(x.size(1))) {
      y.set((x.at(row, c) - mean) * rstd * (weight?.at(c) ?? 1) + (bias?.at(c) ?? 0), row, c);
    }
  }
  return y;
}

/**
 * With v = (x - mean) · rstd and g the gradient of v: the gradient of x is rstd · (g - mean(g) - v · mean(g v)), for the mean
 * and the variance depend on x too.
 */
export function layerNormBackward(x: Array64, weight: Array64 | null, epsilon: number, yGrad: Array64) {
  const columns = range(x.size(1));
  const grads = {
    x: Array64.zerosLike(x),
    weight: new Array64([columns.length]),
    bias: new Array64([columns.length]),
  };
  for (const row of range(x.size(0))) {
    const { mean, rstd } = rowMoments(x, row, epsilon);
    const v = columns.map((c) => (x.at(row, c) - mean) * rstd);
    const g = columns.map((c) => yGrad.at(row, c) * (weight?.at(c) ?? 1));
    const meanG = g.reduce((sum, value) => sum + value, 0) / columns.length;
    const meanGV = g.reduce((sum, value, c) => sum + value * item(v, c), 0) / columns.length;
    for (const c of columns) {
      grads.x.set(rstd * (item(g, c) - meanG - item(v, c) * meanGV), row, c);
      grads.weight.add(yGrad.at(row, c) * item(v, c), c);
      grads.bias.add(yGrad.at(row, c), c);
    }
  }
  return grads;
}

/** Srivastava et al. 2014, inverted: kept elements are divided by the probability of being kept. Its gradient is itself. */
export function dropout(x: Array64, probability: number, stream: Stream): Array64 {
  const factors = dropoutFactors(stream, probability, x.count);
  return x.map((value, i) => value * item(factors, i));
}

const rowMax = (x: Array64, row: number): number => Math.max(...range(x.size(1)).map((c) => x.at(row, c)));

/** log Σ exp of each row; the maximum is taken out so that nothing overflows. */
export function logSumExp(x: Array64, row: number): number {
  const max = rowMax(x, row);
  return max + Math.log(range(x.size(1)).reduce((sum, c) => sum + Math.exp(x.at(row, c) - max), 0));
}

export function logSoftmaxForward(x: Array64): Array64 {
  return x.map((value, i) => value - logSumExp(x, Math.floor(i / x.size(1))));
}

export function softmaxForward(x: Array64): Array64 {
  return logSoftmaxForward(x).map(Math.exp);
}

/** With y = softmax(x): xGrad = y · (yGrad - Σ yGrad y). */
export function softmaxBackward(x: Array64, yGrad: Array64): Array64 {
  const y = softmaxForward(x);
  const xGrad = Array64.zerosLike(x);
  for (const row of range(x.size(0))) {
    const dot = range(x.size(1)).reduce((sum, c) => sum + yGrad.at(row, c) * y.at(row, c), 0);
    for (const c of range(x.size(1))) xGrad.set(y.at(row, c) * (yGrad.at(row, c) - dot), row, c);
  }
  return xGrad;
}

/** With y = log softmax(x): xGrad = yGrad - softmax(x) · Σ yGrad. */
export function logSoftmaxBackward(x: Array64, yGrad: Array64): Array64 {
  const probabilities = softmaxForward(x);
  const xGrad = Array64.zerosLike(x);
  for (const row of range(x.size(0))) {
    const total = range(x.size(1)).reduce((sum, c) => sum + yGrad.at(row, c), 0);
    for (const c of range(x.size(1))) xGrad.set(yGrad.at(row, c) - probabilities.at(row, c) * total, row, c);
  }
  return xGrad;
}
