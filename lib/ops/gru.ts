import { checkBoolean, checkInteger, checkNumber, checkOneOf, wrongKind, wrongRange } from '../arguments.js';
import { needsGrad, recordAll } from '../autograd/tape.js';
import { observeOperations, trace } from '../autograd/trace.js';
import { addon } from '../native/load.js';
import { defaultGenerator, Generator } from '../tensor/generator.js';
import { precisionOn } from '../tensor/precision.js';
import type { Tensor } from '../tensor/tensor.js';
import { algorithmNumber, type GruAlgorithm, gruAlgorithms } from './gru_algorithm.js';
import { gruInPieces } from './gru_pieces.js';
import { checkTensor, checkTensorShape, commonDevice, handlesOf, result, resultLike } from './result.js';
import { checkLengths, type Lengths, sequenceShape } from './sequences.js';

/** Which cell: where the reset gate acts. See `ops.gru`. */
export type GruVariant = 'resetAfter' | 'resetBefore';

export interface GruOptions {
  /** Default: 1. */
  numLayers?: number;
  /** Default: false. */
  bidirectional?: boolean;
  /** Whether `weights` holds biases. Default: true. */
  bias?: boolean;
  /** Default: 'resetAfter', the cell of cuDNN, PyTorch and Keras. */
  variant?: GruVariant;
  /** x and output are [time, batch, features]. Default: false, [batch, time, features]. */
  timeMajor?: boolean;
  /** Dropout on every layer's output but the last one's, from 0 to below 1. Default: 0. */
  dropout?: number;
  /** Draws the dropout masks. Default: the one that `setSeed` seeds. */
  generator?: Generator;
  /** [numLayers × directions, batch, hiddenSize]; default: zeros. */
  initialHidden?: Tensor | null;
  /** Valid steps of each row, 0 to time; default: all. */
  lengths?: Lengths | null;
  /** Default: 'auto'. */
  algorithm?: GruAlgorithm;
}

const optionNames = [
  'numLayers',
  'bidirectional',
  'bias',
  'variant',
  'timeMajor',
  'dropout',
  'generator',
  'initialHidden',
  'lengths',
  'algorithm',
];

export interface GruResult {
  /** [batch, time, directions × hiddenSize] or time-major: the last layer's hidden states; 0 after a row's length. */
  output: Tensor;
  /** Shape [numLayers × directions, batch, hiddenSize]: each layer's and direction's state after the last valid step. */
  hidden: Tensor;
}

/**
 * The gated recurrent unit: a whole stack of layers and directions over whole sequences, as one operation.
 *
 *     r  = σ(W_r x + b_ir + U_r h + b_hr)
 *     z  = σ(W_z x + b_iz + U_z h + b_hz)
 *     h~ = tanh(W_n x + b_in + r ⊙ (U_n h + b_hn))    resetAfter
 *     h~ = tanh(W_n x + b_in + U_n (r ⊙ h) + b_hn)    resetBefore (Cho et al. 2014)
 *     h' = z ⊙ h + (1 - z) ⊙ h~
 *
 * The reversed direction of a row starts at its last valid step. A row of length 0 has output 0 and keeps its initial state.
 * Dropout is applied whenever `dropout` is above 0. Computes in the precision of `withPrecision`. Any number of steps: cuDNN takes 65,535 at
 * once, and more are computed in pieces, each of which begins with the state that the one before ended with.
 *
 * @param x [batch, time, inputSize], or [time, batch, inputSize] with `timeMajor`
 * @param weights layer by layer, in each direction by direction: weight_ih [3H, inputSize or directions × H], weight_hh [3H, H],
 * bias_ih [3H], bias_hh [3H]; rows in the order of the gates r, z, n
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
 */
export function gru(x: Tensor, weights: readonly Tensor[], options: GruOptions = {}): GruResult {
  const { batch, time, features: inputSize, timeMajor } = sequenceShape(x, options, optionNames);
  const layers = checkInteger(options.numLayers ?? 1, 'numLayers', { min: 1 });
  const directions = checkBoolean(options.bidirectional ?? false, 'bidirectional') ? 2 : 1;
  const bias = checkBoolean(options.bias ?? true, 'bias');
  const resetBefore =
    checkOneOf(options.variant ?? 'resetAfter', 'variant', ['resetAfter', 'resetBefore']) === 'resetBefore';
  const dropout = checkNumber(options.dropout ?? 0, 'dropout', { min: 0, below: 1 });
  const algorithm = checkOneOf(options.algorithm ?? 'auto', 'algorithm', gruAlgorithms);
  const generator = options.generator ?? defaultGenerator;
  if (!(generator instanceof Generator)) throw wrongKind('generator', 'a Generator', generator);
  const hiddenSize = checkWeights(weights, inputSize, layers, directions, bias);
  const initial = options.initialHidden ?? null;
  if (initial) checkTensorShape(initial, 'initialHidden', [layers * directions, batch, hiddenSize]);
  const lengths = options.lengths ? checkLengths(options.lengths, 'lengths', batch, 0, time) : null;
  const device = commonDevice('gru', { x, initialHidden: initial });
  for (const [index, weight] of weights.entries()) {
    if (weight.on !== device) commonDevice('gru', { x, [`weights[${index}]`]: weight });
  }

  const width = directions * hiddenSize;
  const drops = dropout > 0 && layers > 1;
  const attributes = {
    layers,
    directions,
    bias,
    resetBefore,
    timeMajor,
    dropout: drops ? dropout : 0,
    lengths: options.lengths ?? null,
  };
  if (!resetBefore && time > device.mostGruSteps) {
    const call = { x, weights, numLayers: layers, directions, timeMajor, dropout: attributes.dropout, generator };
    const long = { ...call, initialHidden: initial, lengths, options: { bias, algorithm } };
    const whole = observeOperations(
      () => {},
      () => gruInPieces(gru, long, device.mostGruSteps),
    );
    trace('gru', [x, initial, ...weights], [whole.output, whole.hidden], attributes);
    return whole;
  }
  const words = Math.ceil((time * batch * width) / 4) * 4;
  const { seed, offset } = drops ? generator.take(words * (layers - 1)) : { seed: 0, offset: 0 };
  const shape = [
    time,
    batch,
    inputSize,
    hiddenSize,
    layers,
    directions,
    timeMajor,
    resetBefore,
    bias,
    attributes.dropout,
    seed,
    offset,
    precisionOn(device, 'gru'),
    lengths,
  ] as const;
  const output = result(timeMajor ? [time, batch, width] : [batch, time, width], 'float32', device);
  const hidden = result([layers * directions, batch, hiddenSize], 'float32', device);
  const recorded = needsGrad(x, initial, ...weights);
  // Of 0 elements here: the device gives it the size that its kernels need.
  const saved = recorded ? result([0], 'float32', device) : null;
  addon.gru(
    device.index,
    ...shape,
    handlesOf(weights),
    algorithmNumber(algorithm),
    x.handle,
    initial?.handle ?? 0,
    output.handle,
    hidden.handle,
    saved?.handle ?? 0,
  );
  trace('gru', [x, initial, ...weights], [output, hidden], attributes);
  if (!recorded || !saved) return { output, hidden };

  const kept = [x, initial, output, saved, ...weights] as const;
  recordAll('gru', [x, initial, ...weights], [output, hidden], kept, ([outputGrad, hiddenGrad], all) => {
    const [savedX, savedInitial, savedOutput, activations, ...savedWeights] = all;
    const xGrad = x.requiresGrad ? resultLike(savedX) : null;
    const initialGrad = initial?.requiresGrad && savedInitial ? resultLike(savedInitial) : null;
    const weightGrads = weights.some((weight) => weight.requiresGrad) ? savedWeights.map(resultLike) : null;
    addon.gruBackward(
      device.index,
      ...shape,
      handlesOf(savedWeights),
      savedX.handle,
      savedInitial?.handle ?? 0,
      savedOutput.handle,
      activations.handle,
      outputGrad?.handle ?? 0,
      hiddenGrad?.handle ?? 0,
      xGrad?.handle ?? 0,
      initialGrad?.handle ?? 0,
      weightGrads && handlesOf(weightGrads),
    );
    return [xGrad, initialGrad, ...(weightGrads ?? weights.map(() => null))];
  });
  saved.dispose();
  return { output, hidden };
}

function checkWeights(
  weights: readonly Tensor[],
  inputSize: number,
  layers: number,
  directions: number,
  bias: boolean,
): number {
  const perCell = bias ? 4 : 2;
  if (!Array.isArray(weights)) throw wrongKind('weights', 'an array of Tensors', weights);
  const expected = layers * directions * perCell;
  if (weights.length !== expected) {
    throw wrongRange(
      'weights',
      `${expected} Tensors (${layers} layers × ${directions} directions × ${perCell})`,
      weights,
    );
  }
  const hiddenSize = checkTensor(weights[1], 'weights[1]', 'float32', 2).shape[1] as number;
  if (hiddenSize === 0) throw wrongRange('weights[1]', 'weight_hh of shape [3 × hiddenSize, hiddenSize]', weights[1]);
  for (let index = 0; index < weights.length; index++) {
    const layer = Math.floor(index / (directions * perCell));
    const columns = index % perCell === 0 ? (layer === 0 ? inputSize : directions * hiddenSize) : hiddenSize;
    const shape = index % perCell < 2 ? [3 * hiddenSize, columns] : [3 * hiddenSize];
    checkTensorShape(weights[index], `weights[${index}]`, shape);
  }
  return hiddenSize;
}
