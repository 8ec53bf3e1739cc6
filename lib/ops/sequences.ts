import { checkBoolean, checkInteger, checkOptions, wrongKind, wrongRange } from '../arguments.js';
import { record } from '../autograd/tape.js';
import type { Addon } from '../native/addon.js';
import { addon } from '../native/load.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensor, result } from './result.js';

/** Numbers of valid steps, one for each row of the batch; they stay on the host. */
export type Lengths = ArrayLike<number>;

export interface SequenceOptions {
  /** x is [time, batch, features]. Default: false, [batch, time, features]. */
  timeMajor?: boolean;
}

interface Shape {
  batch: number;
  time: number;
  features: number;
  timeMajor: boolean;
}

/** @internal @throws TypeError, RangeError */
export function sequenceShape(x: Tensor, options: SequenceOptions, known: readonly string[] = ['timeMajor']): Shape {
  checkOptions(options, 'options', known);
  checkTensor(x, 'x', 'float32', 3);
  const timeMajor = checkBoolean(options.timeMajor ?? false, 'timeMajor');
  const [first, second, features] = x.shape as [number, number, number];
  if (x.size === 0) throw wrongRange('x', 'at least one row, step and feature', x);
  return timeMajor
    ? { time: first, batch: second, features, timeMajor }
    : { batch: first, time: second, features, timeMajor };
}

/** @internal Whole numbers from `min` to `max`, one for each row. @throws TypeError, RangeError */
export function checkLengths(value: unknown, name: string, batch: number, min: number, max: number): Int32Array {
  const isTyped = ArrayBuffer.isView(value) && !(value instanceof DataView);
  if (!Array.isArray(value) && !isTyped) throw wrongKind(name, 'an array or typed array of whole numbers', value);
  const lengths = value as ArrayLike<number>;
  if (lengths.length !== batch) throw wrongRange(name, `${batch} numbers, one for each row`, value);
  const checked = new Int32Array(batch);
  for (let row = 0; row < batch; row++) checked[row] = checkInteger(lengths[row], `${name}[${row}]`, { min, max });
  return checked;
}

function overTime(
  operation: 'gatherTime' | 'maskedMean',
  x: Tensor,
  { batch, time, features, timeMajor }: Shape,
  steps: Int32Array,
  given: { steps?: Lengths; lengths?: Lengths | null },
): Tensor {
  const y = result([batch, features], 'float32', x.on);
  const run: Addon['gatherTime'] = addon[operation];
  run(x.on.index, batch, time, features, timeMajor, steps, x.handle, y.handle);
  const shape = x.shape;
  record(
    operation,
    [x],
    y,
    [],
    (grad) => {
      const xGrad = result(shape, 'float32', grad.on);
      const runBackward: Addon['gatherTime'] = addon[`${operation}Backward`];
      runBackward(grad.on.index, batch, time, features, timeMajor, steps, grad.handle, xGrad.handle);
      return [xGrad];
    },
    { timeMajor, ...given },
  );
  return y;
}

/**
 * y[b] = x[b, steps[b]]
 *
 * @param x [batch, time, features], or time-major
 * @param steps one step for each row, from 0 to time - 1; -1 gives a row of zeros
 * @returns [batch, features]
 * @throws TypeError, RangeError
 */
export function gatherTime(x: Tensor, steps: Lengths, options: SequenceOptions = {}): Tensor {
  const shape = sequenceShape(x, options);
  return overTime('gatherTime', x, shape, checkLengths(steps, 'steps', shape.batch, -1, shape.time - 1), { steps });
}

/**
 * The last valid step of each row: y[b] = x[b, lengths[b] - 1], zeros for a length of 0.
 *
 * @param lengths default: the whole time
 * @returns [batch, features]
 * @throws TypeError, RangeError
 */
export function lastStep(x: Tensor, lengths?: Lengths, options: SequenceOptions = {}): Tensor {
  const shape = sequenceShape(x, options);
  const steps = lengths
    ? checkLengths(lengths, 'lengths', shape.batch, 0, shape.time).map((length) => length - 1)
    : new Int32Array(shape.batch).fill(shape.time - 1);
  return overTime('gatherTime', x, shape, steps, { lengths: lengths ?? null });
}

/**
 * The mean over the valid steps: y[b] = 1 / lengths[b] Σ_t<lengths[b] x[b, t], zeros for a length of 0.
 *
 * @returns [batch, features]
 * @throws TypeError, RangeError
 */
export function maskedMean(x: Tensor, lengths: Lengths, options: SequenceOptions = {}): Tensor {
  const shape = sequenceShape(x, options);
  return overTime('maskedMean', x, shape, checkLengths(lengths, 'lengths', shape.batch, 0, shape.time), { lengths });
}

/**
 * The maximum over the valid steps: y[b] = max_t<lengths[b] x[b, t], zeros for a length of 0. The gradient goes to the first step that
 * holds the maximum.
 *
 * @returns [batch, features]
 * @throws TypeError, RangeError
 */
export function maskedMax(x: Tensor, lengths: Lengths, options: SequenceOptions = {}): Tensor {
  const shape = sequenceShape(x, options);
  const { batch, time, features, timeMajor } = shape;
  const counts = checkLengths(lengths, 'lengths', batch, 0, time);
  const y = result([batch, features], 'float32', x.on);
  const argmax = result([batch, features], 'int32', x.on);
  addon.maskedMax(x.on.index, batch, time, features, timeMajor, counts, x.handle, y.handle, argmax.handle);
  const from = x.shape;
  record(
    'maskedMax',
    [x],
    y,
    [argmax],
    (grad, [saved]) => {
      const xGrad = result(from, 'float32', grad.on);
      addon.maskedMaxBackward(grad.on.index, batch, time, features, timeMajor, saved.handle, grad.handle, xGrad.handle);
      return [xGrad];
    },
    { timeMajor, lengths },
  );
  argmax.dispose();
  return y;
}
