import { Array64, item, range } from './array64.js';

// Attention of queries [B, Q, A] to keys [B, T, A] and values [B, T, V]; row b has lengths[b] valid steps.

type Lengths = readonly number[];

/** Softmax over t < lengths[b] of x [B, Q, T]; 0 after. */
export function maskedSoftmaxForward(x: Array64, lengths: Lengths): Array64 {
  const y = Array64.zerosLike(x);
  for (const b of range(x.size(0))) {
    for (const q of range(x.size(1))) {
      const valid = range(item(lengths, b));
      const most = Math.max(...valid.map((t) => x.at(b, q, t)));
      const sum = valid.reduce((total, t) => total + Math.exp(x.at(b, q, t) - most), 0);
      for (const t of valid) y.set(Math.exp(x.at(b, q, t) - most) / sum, b, q, t);
    }
  }
  return y;
}

export function maskedSoftmaxBackward(x: Array64, lengths: Lengths, yGrad: Array64): Array64 {
  const y = maskedSoftmaxForward(x, lengths);
  const xGrad = Array64.zerosLike(x);
  for (const b of range(x.size(0))) {
    for (const q of range(x.size(1))) {
      const dot = range(x.size(2)).reduce((sum, t) => sum + y.at(b, q, t) * yGrad.at(b, q, t), 0);
      for (const t of range(x.size(2))) xGrad.set(y.at(b, q, t) * (yGrad.at(b, q, t) - dot), b, q, t);
    }
  }
  return xGrad;
}

/** How a query and a key give a score, and its gradients. */
export interface Score {
  forward(query: Array64, keys: Array64, scale: Array64): Array64;
  backward(query: Array64, keys: Array64, scale: Array64, scoresGrad: Array64): [Array64, Array64, Array64];
}

/** Every [b, q, t, a]. */
function* positions(query: Array64, keys: Array64): Generator<[number, number, number, number]> {
  for (const b of range(query.size(0)))
    for (const q of range(query.size(1)))
      for (const t of range(keys.size(1))) for (const a of range(query.size(2))) yield [b, q, t, a];
}

const scoresOf = (query: Array64, keys: Array64) => new Array64([query.size(0), query.size(1), keys.size(1)]);

/** Σ_a scale_a tanh(query_a + key_a) */
const additive: Score = {
  forward(query, keys, scale) {
    const scores = scoresOf(query, keys);
    for (const [b, q, t, a] of positions(query, keys))
      scores.add(scale.at(a) * Math.tanh(query.at(b, q, a) + keys.at(b, t, a)), b, q, t);
    return scores;
  },
  backward(query, keys, scale, scoresGrad) {
    const grads = [Array64.zerosLike(query), Array64.zerosLike(keys), Array64.zerosLike(scale)] as const;
    for (const [b, q, t, a] of positions(query, keys)) {
      const u = Math.tanh(query.at(b, q, a) + keys.at(b, t, a));
      const grad = scoresGrad.at(b, q, t);
      grads[0].add(grad * scale.at(a) * (1 - u * u), b, q, a);
      grads[1].add(grad * scale.at(a) * (1 - u * u), b, t, a);
      grads[2].add(grad * u, a);
    }
    return [...grads];
  },
};

/** scale Σ_a query_a key_a, scale being one number without a gradient of its own. */
const dot: Score = {
  forward(query, keys, scale) {
    const scores = scoresOf(query, keys);
    for (const [b, q, t, a] of positions(query, keys))
      scores.add(scale.at(0) * query.at(b, q, a) * keys.at(b, t, a), b, q, t);
    return scores;
  },
  backward(query, keys, scale, scoresGrad) {
    const grads = [Array64.zerosLike(query), Array64.zerosLike(keys), Array64.zerosLike(scale)] as const;
    for (const [b, q, t, a] of positions(query, keys)) {
      const grad = scale.at(0) * scoresGrad.at(b, q, t);
      grads[0].add(grad * keys.at(b, t, a), b, q, a);
      grads[1].add(grad * query.at(b, q, a), b, t, a);
    }
    return [...grads];
  },
};

export const scores = { additive, dot };

/** [B, Q, V]: Σ_t weights values */
export function contextOf(weights: Array64, values: Array64): Array64 {
  const context = new Array64([weights.size(0), weights.size(1), values.size(2)]);
  for (const [b, q, t, v] of positions(context, values)) context.add(weights.at(b, q, t) * values.at(b, t, v), b, q, v);
  return context;
}

export function attentionForward(
  score: Score,
  query: Array64,
  keys: Array64,
  values: Array64,
  scale: Array64,
  lengths: Lengths,
): Array64 {
  return contextOf(maskedSoftmaxForward(score.forward(query, keys, scale), lengths), values);
}

/** The gradients of query, keys, values and scale. */
export function attentionBackward(
  score: Score,
  query: Array64,
  keys: Array64,
  values: Array64,
  scale: Array64,
  lengths: Lengths,
  contextGrad: Array64,
): [Array64, Array64, Array64, Array64] {
  const scores = score.forward(query, keys, scale);
  const weights = maskedSoftmaxForward(scores, lengths);
  const weightsGrad = Array64.zerosLike(weights);
  const valuesGrad = Array64.zerosLike(values);
  for (const [b, q, t, v] of positions(contextGrad, values)) {
    weightsGrad.add(contextGrad.at(b, q, v) * values.at(b, t, v), b, q, t);
    valuesGrad.add(contextGrad.at(b, q, v) * weights.at(b, q, t), b, t, v);
  }
  const scoresGrad = maskedSoftmaxBackward(scores, lengths, weightsGrad);
  const [queryGrad, keysGrad, scaleGrad] = score.backward(query, keys, scale, scoresGrad);
  return [queryGrad, keysGrad, valuesGrad, scaleGrad];
}
