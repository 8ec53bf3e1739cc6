import { checkBoolean, checkInteger, checkOneOf, wrongKind, wrongRange } from '../arguments.js';
import { needsGrad } from '../autograd/tape.js';
import { trace } from '../autograd/trace.js';
import { CudnnGruError } from '../errors.js';
import { addon } from '../native/load.js';
import type { Tensor } from '../tensor/tensor.js';
import type { GruOptions, GruResult } from './gru.js';
import { checkTensor, checkTensorShape, commonDevice, handlesOf, result } from './result.js';
import { checkLengths, sequenceShape } from './sequences.js';

/** What a quantized model stores and multiplies its recurrent layers in. */
export type Precision = 'int8' | 'bfloat16';

/** @internal */
export const precisions = ['int8', 'bfloat16'] as const;

/** @internal How many values one int32 word holds. */
export const valuesPerWord = (precision: Precision): number => (precision === 'int8' ? 4 : 2);

// Sums of int8 products stay within 32 bits up to this many of them.
const mostInt8Columns = 131072;

export interface GruQuantizedOptions
  extends Pick<GruOptions, 'numLayers' | 'bidirectional' | 'bias' | 'timeMajor' | 'initialHidden' | 'lengths'> {
  precision: Precision;
}

const optionNames = ['precision', 'numLayers', 'bidirectional', 'bias', 'timeMajor', 'initialHidden', 'lengths'];

/**
 * `ops.gru`, the reset-after cell, in low precision and without gradients. Both sides of every product with a weight matrix are rounded; biases,
 * gates and states stay float32.
 *
 * - int8: a row of weights is whole numbers q (-127 to 127) times its scale. The state is rounded to steps of 1/127; the input of
 *   each row and step to steps of max |x| / 127. Sums are exact integers. A step whose input holds NaN or infinity makes its row NaN.
 * - bfloat16: weights, states and inputs are rounded to bfloat16; sums are float32.
 *
 * A row's result depends neither on the batch nor on the number of threads. AVX2 and AVX-512 give the same bits with int8.
 *
 * @param x [batch, time, inputSize], or [time, batch, inputSize] with `timeMajor`
 * @param weights layer by layer, in each direction by direction: weight_ih, with int8 its scale, weight_hh, with int8 its scale, bias_ih,
 * bias_hh. Matrices are int32 words [3H, ceil(columns / 4 or 2)] (a row's values side by side, the first in the lowest bits), scales and
 * biases float32 [3H]; rows in the order of the gates r, z, n
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`, `ERR_NO_GRADIENT` when a gradient would be recorded,
 * `ERR_UNSUPPORTED` for int8 rows of more than 131,072 values. Waiting for the result throws `ERR_UNSUPPORTED` if `initialHidden` leaves
 * [-1, 1] with int8.
 */
export function gruQuantized(x: Tensor, weights: readonly Tensor[], options: GruQuantizedOptions): GruResult {
  const { batch, time, features: inputSize, timeMajor } = sequenceShape(x, options, optionNames);
  const precision = checkOneOf(options.precision, 'precision', precisions);
  const layers = checkInteger(options.numLayers ?? 1, 'numLayers', { min: 1 });
  const directions = checkBoolean(options.bidirectional ?? false, 'bidirectional') ? 2 : 1;
  const bias = checkBoolean(options.bias ?? true, 'bias');
  const { hiddenSize, words, scales, biases } = checkWeights(weights, inputSize, layers, directions, bias, precision);
  const initial = options.initialHidden ?? null;
  if (initial) checkTensorShape(initial, 'initialHidden', [layers * directions, batch, hiddenSize]);
  const lengths = options.lengths ? checkLengths(options.lengths, 'lengths', batch, 0, time) : null;
  const device = commonDevice('gruQuantized', {
    x,
    initialHidden: initial,
    ...Object.fromEntries(weights.map((w, i) => [`weights[${i}]`, w])),
  });
  if (needsGrad(x, initial, ...scales, ...biases)) {
    throw new CudnnGruError(
      'ERR_NO_GRADIENT',
      'gruQuantized has no gradient: a quantized model is for inference. Run it inside noGrad(), or train the model it was made from',
    );
  }
  const width = directions * hiddenSize;
  const output = result(timeMajor ? [time, batch, width] : [batch, time, width], 'float32', device);
  const hidden = result([layers * directions, batch, hiddenSize], 'float32', device);
  addon.gruQuantized(
    device.index,
    time,
    batch,
    inputSize,
    hiddenSize,
    layers,
    directions,
    timeMajor,
    false,
    bias,
    lengths,
    precision === 'int8',
    handlesOf(words),
    handlesOf(scales),
    handlesOf(biases),
    x.handle,
    initial?.handle ?? 0,
    output.handle,
    hidden.handle,
  );
  trace('gruQuantized', [x, initial, ...weights], [output, hidden], {});
  return { output, hidden };
}

function checkWeights(
  weights: readonly Tensor[],
  inputSize: number,
  layers: number,
  directions: number,
  bias: boolean,
  precision: Precision,
): { hiddenSize: number; words: Tensor[]; scales: Tensor[]; biases: Tensor[] } {
  if (!Array.isArray(weights)) throw wrongKind('weights', 'an array of Tensors', weights);
  const perMatrix = precision === 'int8' ? 2 : 1;
  const perCell = 2 * perMatrix + (bias ? 2 : 0);
  const expected = layers * directions * perCell;
  if (weights.length !== expected) {
    throw wrongRange(
      'weights',
      `${expected} Tensors (${layers} layers × ${directions} directions × ${perCell})`,
      weights,
    );
  }
  const rows = checkTensor(weights[0], 'weights[0]', 'int32', 2).shape[0] as number;
  const hiddenSize = rows / 3;
  if (rows === 0 || !Number.isInteger(hiddenSize))
    throw wrongRange('weights[0]', 'words of shape [3 × hiddenSize, …]', weights[0]);
  const words: Tensor[] = [];
  const scales: Tensor[] = [];
  const biases: Tensor[] = [];
  for (const [index, weight] of weights.entries()) {
    const name = `weights[${index}]`;
    const place = index % perCell;
    if (place >= 2 * perMatrix) {
      biases.push(checkTensorShape(weight, name, [rows]));
    } else if (place % perMatrix === 1) {
      scales.push(checkTensorShape(weight, name, [rows]));
    } else {
      const layer = Math.floor(index / (directions * perCell));
      const columns = place > 0 ? hiddenSize : layer === 0 ? inputSize : directions * hiddenSize;
      if (precision === 'int8' && columns > mostInt8Columns) {
        throw new CudnnGruError(
          'ERR_UNSUPPORTED',
          `gruQuantized: int8 rows have at most ${mostInt8Columns} values, ${name} has ${columns}`,
        );
      }
      words.push(checkTensorShape(weight, name, [rows, Math.ceil(columns / valuesPerWord(precision))], 'int32'));
    }
  }
  return { hiddenSize, words, scales, biases };
}
