import { CudnnGruError } from '../../errors.js';
import { broadcast } from '../../ops/broadcast.js';
import { fill, upload } from '../../ops/result.js';
import { elementCount } from '../../tensor/tensor.js';
import { filled, type HostType, hostArray, intList, mapHost, range } from './host_array.js';
import { type Call, type Operator, onlyFirstOutput } from './operator.js';
import {
  axisOf,
  concat,
  expand,
  gatherRows,
  isTensor,
  permute,
  reshape,
  take,
  toHost,
  toTensor,
  type Value,
} from './values.js';

// Operators that move numbers, or calculate with shapes: they work on tensors and on the host.

// Steps of a sequence: more are not repeated.
const mostRepeats = 1 << 20;
const wholeTypes = new Set([2, 3, 4, 5, 6, 7, 12, 13]);
const floatTypes = new Set([1, 10, 11, 16]);

/** What a `TensorProto.DataType` is here; undefined for strings and other types that are not read. */
export function hostTypeOf(dataType: number | undefined): HostType | undefined {
  if (dataType === 9) return 'bool';
  if (dataType === undefined) return undefined;
  return wholeTypes.has(dataType) ? 'int' : floatTypes.has(dataType) ? 'float' : undefined;
}

/** The same numbers under another name. */
function view(x: Value): Value {
  return reshape(x, x.shape);
}

function cast(call: Call): Value {
  const x = call.value(0);
  const type = hostTypeOf(call.number('to', 0));
  if (isTensor(x)) {
    if (type === (x.dtype === 'float32' ? 'float' : 'int')) return view(x);
    throw new CudnnGruError('ERR_UNSUPPORTED', `Cast of a tensor of type ${x.dtype} to another kind of number`);
  }
  if (type === 'float') return mapHost(type, x, Math.fround);
  if (type === 'bool') return mapHost(type, x, (value) => Number(value !== 0));
  // Lengths stay the array that was given.
  return x.type === 'int' ? view(x) : mapHost('int', x, Math.trunc);
}

function reshapeTo(call: Call): Value {
  const x = call.value(0);
  const wanted = call.numbers(1);
  const copiesZeros = call.number('allowzero', 0) === 0;
  const shape = wanted.map((d, axis) => (d === 0 && copiesZeros ? (x.shape[axis] ?? Number.NaN) : d));
  const unknown = shape.indexOf(-1);
  if (unknown >= 0) shape[unknown] = elementCount(x.shape) / elementCount(shape.filter((_, at) => at !== unknown));
  return reshape(x, shape);
}

function squeeze(call: Call): Value {
  const x = call.value(0);
  const given = call.list('axes', 1);
  const axes = given
    ? given.map((axis) => axisOf(axis, x.shape.length))
    : x.shape.flatMap((dimension, axis) => (dimension === 1 ? [axis] : []));
  return reshape(
    x,
    x.shape.filter((_, axis) => !axes.includes(axis)),
  );
}

function unsqueeze(call: Call): Value {
  const x = call.value(0);
  const axes = call.list('axes', 1) ?? [];
  const rank = x.shape.length + axes.length;
  const added = new Set(axes.map((axis) => axisOf(axis, rank)));
  const rest = [...x.shape];
  return reshape(
    x,
    Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (rest.shift() ?? 1))),
  );
}

function transpose(call: Call): Value {
  const x = call.value(0);
  const axes = x.shape.map((_, axis) => axis);
  const permutation = call.list('perm', 1) ?? axes.toReversed();
  if (String([...permutation].sort((a, b) => a - b)) !== String(axes)) {
    throw new CudnnGruError('ERR_FORMAT', `permutation [${permutation}] of a value with ${axes.length} axes`);
  }
  return permute(x, permutation);
}

function slice(call: Call): Value {
  let result = call.value(0);
  const starts = call.list('starts', 1) ?? [];
  const ends = call.list('ends', 2) ?? [];
  const axes = call.list('axes', 3) ?? starts.map((_, axis) => axis);
  const steps = call.has(4) ? call.numbers(4) : [];
  for (const [i, start] of starts.entries()) {
    const axis = axisOf(axes[i] ?? Number.NaN, result.shape.length);
    result = take(result, axis, slicePositions(result.shape[axis] as number, start, ends[i] ?? 0, steps[i] ?? 1));
  }
  return result;
}

// As in NumPy: ends beyond the axis mean its end.
function slicePositions(length: number, start: number, end: number, step: number): number[] {
  if (step === 0) throw new CudnnGruError('ERR_FORMAT', 'a step of 0');
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
  const clamp = (position: number) => Math.min(high, Math.max(low, position < 0 ? position + length : position));
  const positions: number[] = [];
  const [from, to] = [Math.max(clamp(start), 0), clamp(end)];
  for (let at = from; (step > 0 ? at < to : at > to) && at < length; at += step) positions.push(at);
  return positions;
}

function gather(call: Call): Value {
  const [x, indices] = [call.value(0), call.value(1)];
  const axis = axisOf(call.number('axis', 0), x.shape.length);
  if (isTensor(indices)) {
    if (axis === 0) return gatherRows(toTensor(x, call.device), indices);
    throw new CudnnGruError('ERR_UNSUPPORTED', 'Gather by a tensor along an axis that is not the first');
  }
  const positions = Array.from(indices.data, (index) => positionIn(x.shape[axis] as number, index));
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  return reshape(take(x, axis, positions), shape);
}

function positionIn(length: number, index: number): number {
  const positive = index < 0 ? index + length : index;
  if (positive >= 0 && positive < length) return positive;
  throw new CudnnGruError('ERR_INDEX_OUT_OF_RANGE', `index ${index} of an axis of ${length}`);
}

/** y[b] = x[b, indices[b]]: the only form that sequences need. */
function gatherRowByRow(call: Call): Value {
  const x = call.tensor(0);
  const [rows, length, ...inner] = x.shape;
  const indices = toHost(call.value(1), 'input 1');
  if (call.number('batch_dims', 0) !== 1 || indices.shape.length !== 2 || indices.shape[1] !== 1 || !rows || !length) {
    throw new CudnnGruError('ERR_UNSUPPORTED', 'GatherND other than of one index for each row (batch_dims 1)');
  }
  const ids = Int32Array.from(indices.data, (index, row) => row * length + positionIn(length, index));
  return gatherRows(x.reshape(rows * length, ...inner), upload(ids, [ids.length], x.on));
}

function split(call: Call): Value[] {
  const x = call.value(0);
  const axis = axisOf(call.number('axis', 0), x.shape.length);
  const length = x.shape[axis] as number;
  const parts = call.node.outputs.length;
  const equal = Math.ceil(length / parts);
  const sizes = call.list('split', 1) ?? Array.from({ length: parts }, (_, i) => Math.min(equal, length - i * equal));
  if (sizes.some((size) => size < 0) || sizes.reduce((sum, size) => sum + size, 0) !== length) {
    throw new CudnnGruError('ERR_FORMAT', `an axis of ${length} cannot be split into [${sizes}]`);
  }
  let start = 0;
  return sizes.map((size) => {
    const from = start;
    start += size;
    return take(
      x,
      axis,
      Array.from({ length: size }, (_, i) => from + i),
    );
  });
}

function tile(call: Call): Value {
  let result = call.value(0);
  for (const [axis, repeats] of call.numbers(1).entries()) {
    if (repeats === 1) continue;
    const size = result.shape[axis] ?? 0;
    if (!(repeats >= 1 && repeats * size <= mostRepeats)) {
      throw new CudnnGruError('ERR_UNSUPPORTED', `an axis of ${size} repeated ${repeats} times`);
    }
    result = concat(new Array<Value>(repeats).fill(result), axis);
  }
  return result;
}

function expandTo(call: Call): Value {
  const x = call.value(0);
  const { shape } = broadcast('Expand', x.shape, call.numbers(1));
  // Numbers of a float type may be as many as an initial state has: they are made on the device.
  const isState = !isTensor(x) && x.type === 'float';
  if (isState && x.data.length === 1) return fill(shape, x.data[0] as number, call.device);
  return expand(isState ? toTensor(x, call.device) : x, shape, (zeros) => call.zeros(zeros));
}

function constantOfShape(call: Call): Value {
  const shape = call.numbers(0);
  const type = hostTypeOf(call.number('type', 1)) ?? 'float';
  const value = call.number('value', 0);
  return type === 'float' ? fill(checkSizes(shape), value, call.device) : filled(type, shape, value);
}

function checkSizes(shape: readonly number[]): readonly number[] {
  if (shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0)) return shape;
  throw new CudnnGruError('ERR_FORMAT', `a shape of [${shape.join(', ')}]`);
}

function shape(call: Call): Value {
  const sizes = call.value(0).shape;
  const rank = sizes.length;
  const clamp = (axis: number) => Math.min(rank, Math.max(0, axis < 0 ? axis + rank : axis));
  return intList(sizes.slice(clamp(call.number('start', 0)), clamp(call.number('end', rank))));
}

function rangeOf(call: Call): Value {
  const [start, limit, step] = [0, 1, 2].map((i) => toHost(call.value(i), `input ${i}`));
  return range(start?.type ?? 'int', first(start?.data), first(limit?.data), first(step?.data));
}

function first(data: ArrayLike<number> | undefined): number {
  return data?.[0] ?? Number.NaN;
}

function flatten(call: Call): Value {
  const x = call.value(0);
  const axis = call.number('axis', 1);
  const at = axis < 0 ? axis + x.shape.length : axis;
  return reshape(x, [elementCount(x.shape.slice(0, at)), elementCount(x.shape.slice(at))]);
}

function concatAll(call: Call): Value {
  const parts = call.inputs.map((_, index) => call.value(index));
  return concat(parts, axisOf(call.number('axis', 0), parts[0]?.shape.length ?? 0));
}

const one = (operation: (call: Call) => Value) => (call: Call) => [operation(call)];

export const shapeOperators: Readonly<Record<string, Operator>> = {
  Cast: { inputs: [1, 1], attributes: ['to', 'saturate', 'round_mode'], run: one(cast) },
  Concat: { inputs: [1, 10_000], attributes: ['axis'], run: one(concatAll) },
  ConstantOfShape: { inputs: [1, 1], attributes: ['value', 'type'], run: one(constantOfShape) },
  Dropout: {
    inputs: [1, 3],
    attributes: ['ratio', 'seed'],
    refuse: onlyFirstOutput,
    run: one((call) => view(call.value(0))),
  },
  Expand: { inputs: [2, 2], attributes: [], run: one(expandTo) },
  Flatten: { inputs: [1, 1], attributes: ['axis'], weights: [0], run: one(flatten) },
  Gather: { inputs: [2, 2], attributes: ['axis'], weights: [0], run: one(gather) },
  GatherND: { inputs: [2, 2], attributes: ['batch_dims'], run: one(gatherRowByRow) },
  Identity: { inputs: [1, 1], attributes: [], run: one((call) => view(call.value(0))) },
  Range: { inputs: [3, 3], attributes: [], run: one(rangeOf) },
  Reshape: { inputs: [2, 2], attributes: ['allowzero'], weights: [0], run: one(reshapeTo) },
  Shape: { inputs: [1, 1], attributes: ['start', 'end'], run: one(shape) },
  Size: {
    inputs: [1, 1],
    attributes: [],
    run: one((call) => hostArray('int', [], [elementCount(call.value(0).shape)])),
  },
  Slice: { inputs: [1, 5], attributes: ['starts', 'ends', 'axes'], weights: [0], run: one(slice) },
  Split: { inputs: [1, 2], attributes: ['axis', 'split', 'num_outputs'], weights: [0], run: split },
  Squeeze: { inputs: [1, 2], attributes: ['axes'], weights: [0], run: one(squeeze) },
  Tile: { inputs: [2, 2], attributes: [], run: one(tile) },
  Transpose: { inputs: [1, 1], attributes: ['perm'], weights: [0], run: one(transpose) },
  Unsqueeze: { inputs: [1, 2], attributes: ['axes'], weights: [0], run: one(unsqueeze) },
};
