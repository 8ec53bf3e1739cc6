import { checkNumber, checkOptions, wrongRange } from '../arguments.js';
import { record } from '../autograd/tape.js';
import { addon } from '../native/load.js';
import type { Device } from '../tensor/device.js';
import type { Tensor } from '../tensor/tensor.js';
import { matmul } from './linear.js';
import { checkTensor, checkTensorShape, commonDevice, result, resultLike } from './result.js';
import { checkLengths, type Lengths } from './sequences.js';

export interface AttentionOptions {
  /** Valid steps of each row of the keys and values; a row of length 0 has weights and context 0. Default: all. */
  lengths?: Lengths | undefined;
}

export interface DotAttentionOptions extends AttentionOptions {
  /** What the scores are multiplied by. Default: 1; Vaswani et al. (2017) take 1 / √size. */
  scale?: number;
}

export interface Attention {
  /** Shape [batch, queries, values' size]: Σ_t weights[b, q, t] values[b, t]. */
  context: Tensor;
  /** Shape [batch, queries, time]: how much each query looks at each step; 0 after a row's length. */
  weights: Tensor;
}

/**
 * The softmax of each row's first steps, and 0 after them: y[b, q, t] = exp(x[b, q, t]) / Σ_t'<lengths[b] exp(x[b, q, t'])
 *
 * @param x [batch, queries, time]
 * @param lengths valid steps of each row, 0 allowed (its y is 0); default: all
 * @throws TypeError, RangeError
 */
export function maskedSoftmax(x: Tensor, lengths?: Lengths): Tensor {
  checkTensor(x, 'x', 'float32', 3);
  const [batch, queries, time] = x.shape as [number, number, number];
  if (x.size === 0) throw wrongRange('x', 'at least one row, query and step', x);
  const valid = lengths ? checkLengths(lengths, 'lengths', batch, 0, time) : null;
  const y = resultLike(x);
  addon.maskedSoftmax(x.on.index, batch, queries, time, valid, x.handle, y.handle);
  // Where y is 0 so is the gradient of the softmax: no mask is needed.
  record('maskedSoftmax', [x], y, [y], (grad, [saved]) => {
    const xGrad = resultLike(saved);
    addon.softmaxBackward(saved.on.index, batch * queries, time, saved.handle, grad.handle, xGrad.handle);
    return [xGrad];
  });
  return y;
}

/**
 * Additive attention (Bahdanau et al. 2015), on a query and keys that were projected to one size before:
 *
 *     score[b, q, t] = Σ_a scale[a] tanh(query[b, q, a] + keys[b, t, a]),  weights = softmax over t < lengths[b]
 *
 * @param query [batch, queries, size]
 * @param keys [batch, time, size]
 * @param values [batch, time, any]; finite also after a row's length, as the outputs of a GRU are
 * @param scale [size]
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
 */
export function additiveAttention(
  query: Tensor,
  keys: Tensor,
  values: Tensor,
  scale: Tensor,
  options: AttentionOptions = {},
): Attention {
  checkOptions(options, 'options', ['lengths']);
  const { batch, queries, time, size } = checkAttention(query, keys, values);
  checkTensorShape(scale, 'scale', [size]);
  const lengths = options.lengths ? checkLengths(options.lengths, 'lengths', batch, 0, time) : null;
  const device = commonDevice('additiveAttention', { query, keys, values, scale });
  const scores = additiveScores([batch, queries, time, lengths], size, query, keys, scale, device);
  return attend(scores, values, lengths);
}

/**
 * Multiplicative attention (Luong et al. 2015): weights = softmax over t < lengths[b] of scale · query[b, q] · keys[b, t]. Luong's
 * 'general' score is this one of a query that went through `linear` before.
 *
 * @param query [batch, queries, size]
 * @param keys [batch, time, size]
 * @param values [batch, time, any]; keys and values finite also after a row's length, as the outputs of a GRU are
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
 */
export function dotAttention(
  query: Tensor,
  keys: Tensor,
  values: Tensor,
  options: DotAttentionOptions = {},
): Attention {
  checkOptions(options, 'options', ['lengths', 'scale']);
  const { batch, time } = checkAttention(query, keys, values);
  const scale = checkNumber(options.scale ?? 1, 'scale');
  const lengths = options.lengths ? checkLengths(options.lengths, 'lengths', batch, 0, time) : null;
  commonDevice('dotAttention', { query, keys, values });
  // Fewer numbers to scale than the scores have, as a rule.
  return attend(matmul(scale === 1 ? query : query.mul(scale), keys, { transposeB: true }), values, lengths);
}

function checkAttention(query: Tensor, keys: Tensor, values: Tensor) {
  checkTensor(query, 'query', 'float32', 3);
  checkTensor(keys, 'keys', 'float32', 3);
  checkTensor(values, 'values', 'float32', 3);
  const [batch, queries, size] = query.shape as [number, number, number];
  const time = keys.shape[1] as number;
  if (query.size === 0) throw wrongRange('query', 'at least one row, query and feature', query);
  if (keys.size === 0) throw wrongRange('keys', 'at least one row, step and feature', keys);
  checkTensorShape(keys, 'keys', [batch, time, size]);
  checkTensorShape(values, 'values', [batch, time, values.shape[2] as number]);
  if (values.size === 0) throw wrongRange('values', 'at least one feature', values);
  return { batch, queries, time, size };
}

function attend(scores: Tensor, values: Tensor, lengths: Int32Array | null): Attention {
  const weights = lengths ? maskedSoftmax(scores, lengths) : maskedSoftmax(scores);
  return { context: matmul(weights, values), weights };
}

function additiveScores(
  shape: readonly [batch: number, queries: number, time: number, lengths: Int32Array | null],
  size: number,
  query: Tensor,
  keys: Tensor,
  scale: Tensor,
  device: Device,
): Tensor {
  const [batch, queries, time, lengths] = shape;
  const scores = result([batch, queries, time], 'float32', device);
  const settings = [batch, queries, time, lengths, size] as const;
  addon.additiveScores(device.index, ...settings, query.handle, keys.handle, scale.handle, scores.handle);
  record('additiveScores', [query, keys, scale], scores, [query, keys, scale], (grad, [q, k, v]) => {
    const grads = [resultLike(q), resultLike(k), resultLike(v)] as const;
    addon.additiveScoresBackward(
      device.index,
      ...settings,
      q.handle,
      k.handle,
      v.handle,
      grad.handle,
      grads[0].handle,
      grads[1].handle,
      grads[2].handle,
    );
    return [...grads];
  });
  return scores;
}
