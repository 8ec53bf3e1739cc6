import { checkInteger, wrongKind, wrongRange } from '../arguments.js';
import { record } from '../autograd/tape.js';
import { addon } from '../native/load.js';
import { elementCount, type Tensor } from '../tensor/tensor.js';
import { reshape } from './arithmetic.js';
import { checkAxis, checkTensor, commonDevice, handlesOf, result } from './result.js';

/**
 * Tensors side by side along one axis.
 *
 * @param parts at least one tensor, of equal types and equal shapes but for the axis
 * @param axis default: 0; negative counts from the end
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_MISMATCH`
 */
export function concat(parts: readonly Tensor[], axis = 0): Tensor {
  if (!isTensorList(parts)) throw wrongKind('parts', 'an array of Tensors', parts);
  const [first] = parts;
  if (!first) throw wrongRange('parts', 'at least one Tensor', parts);
  checkTensor(first, 'parts[0]', 'any');
  const at = checkAxis(axis, 'axis', first.rank);
  const named: Record<string, Tensor> = {};
  for (const [index, part] of parts.entries()) {
    checkTensor(part, `parts[${index}]`, first.dtype);
    named[`parts[${index}]`] = part;
    if (
      part.rank !== first.rank ||
      part.shape.some((dimension, other) => other !== at && dimension !== first.shape[other])
    ) {
      throw wrongRange(`parts[${index}]`, `shape [${first.shape.join(', ')}] but for axis ${at}`, part);
    }
  }
  const device = commonDevice('concat', named);
  const lengths = Int32Array.from(parts, (part) => part.shape[at] as number);
  const length = lengths.reduce((sum, one) => sum + one, 0);
  const outer = elementCount(first.shape.slice(0, at));
  const inner = elementCount(first.shape.slice(at + 1));
  const y = result(
    first.shape.map((dimension, other) => (other === at ? length : dimension)),
    first.dtype,
    device,
  );
  addon.concat(device.index, outer, inner, lengths, length, handlesOf(parts), y.handle);
  record(
    'concat',
    parts,
    y,
    [],
    (grad) => {
      let start = 0;
      return parts.map((part) => {
        const taken = part.shape[at] as number;
        const partGrad = part.requiresGrad ? slice(grad, at, start, start + taken) : null;
        start += taken;
        return partGrad;
      });
    },
    { axis: at },
  );
  return y;
}

/**
 * x at positions `start` to `end` (exclusive) of one axis.
 *
 * @param start negative counts from the end
 * @param end default: the axis's length; negative counts from the end
 * @throws TypeError, RangeError
 */
export function slice(x: Tensor, axis: number, start: number, end?: number): Tensor {
  checkTensor(x, 'x', 'any');
  const at = checkAxis(axis, 'axis', x.rank);
  const length = x.shape[at] as number;
  const from = position(start, 'start', length);
  const to = end === undefined ? length : position(end, 'end', length);
  if (to < from) throw wrongRange('end', `a position at or after start (${from})`, end);
  const outer = elementCount(x.shape.slice(0, at));
  const inner = elementCount(x.shape.slice(at + 1));
  const y = result(
    x.shape.map((dimension, other) => (other === at ? to - from : dimension)),
    x.dtype,
    x.on,
  );
  addon.slice(x.on.index, outer, length, inner, from, to - from, x.handle, y.handle);
  const shape = x.shape;
  record(
    'slice',
    [x],
    y,
    [],
    (grad) => {
      const xGrad = result(shape, 'float32', grad.on);
      addon.sliceBackward(grad.on.index, outer, length, inner, from, to - from, grad.handle, xGrad.handle);
      return [xGrad];
    },
    { axis: at, start: from, end: to },
  );
  return y;
}

function position(value: number, name: string, length: number): number {
  checkInteger(value, name, { min: -length, max: length });
  return value < 0 ? value + length : value;
}

/** Two axes exchanged; the last two by default. @throws TypeError, RangeError */
export function transpose(x: Tensor, axisA = -2, axisB = -1): Tensor {
  checkTensor(x, 'x', 'any');
  const a = checkAxis(axisA, 'axisA', x.rank);
  const b = checkAxis(axisB, 'axisB', x.rank);
  const [low, high] = a < b ? [a, b] : [b, a];
  if (low === high) return reshape(x, x.shape);
  const shape = [...x.shape];
  shape[low] = x.shape[high] as number;
  shape[high] = x.shape[low] as number;
  const y = result(shape, x.dtype, x.on);
  addon.transpose(
    x.on.index,
    elementCount(x.shape.slice(0, low)),
    shape[high],
    elementCount(x.shape.slice(low + 1, high)),
    shape[low],
    elementCount(x.shape.slice(high + 1)),
    x.handle,
    y.handle,
  );
  record('transpose', [x], y, [], (grad) => [transpose(grad, low, high)], { axes: [low, high] });
  return y;
}

function isTensorList(value: unknown): value is readonly Tensor[] {
  return Array.isArray(value);
}
