import { CudnnGruError } from '../../errors.js';
import { elementCount } from '../../tensor/tensor.js';
import { combine, filled, type HostArray, type HostType, hostArray, mapHost } from './host_array.js';
import type { Call, Operator } from './operator.js';
import { toHost, type Value } from './values.js';

// Operators that work on the host only: with lengths, positions and masks. `pack_padded_sequence` of PyTorch sorts rows by them.

type Arithmetic = (a: number, b: number) => number;

/** Comparisons and logic: of lengths and positions, which are on the host. */
function onHost(inputs: 1 | 2, type: HostType | undefined, operation: Arithmetic): Operator {
  return {
    inputs: [inputs, inputs],
    attributes: ['fmod'],
    run: (call) => {
      const a = toHost(call.value(0), 'input 0');
      const resultType = type ?? a.type;
      if (inputs === 1) return [mapHost(resultType, a, (x) => operation(x, 0))];
      return [combine(resultType, a, toHost(call.value(1), 'input 1'), operation)];
    },
  };
}

const truth = (operation: (a: number, b: number) => boolean) => onHost(2, 'bool', (a, b) => Number(operation(a, b)));

/** A list of numbers, of one axis. */
function listAt(call: Call, index: number): HostArray {
  const list = toHost(call.value(index), `input ${index}`);
  if (list.shape.length === 1) return list;
  throw new CudnnGruError('ERR_UNSUPPORTED', `an input ${index} of ${list.shape.length} axes`);
}

/** The k largest (or smallest) numbers and their positions; of equal ones the first comes first. */
function topK(call: Call): Value[] {
  const { data, type } = listAt(call, 0);
  const [count = 0] = call.numbers(1);
  const sign = call.number('largest', 1) === 0 ? 1 : -1;
  const at = (position: number) => data[position] as number;
  const order = Array.from(data, (_, position) => position).sort((a, b) => sign * (at(a) - at(b)) || a - b);
  const positions = order.slice(0, count);
  return [hostArray(type, [positions.length], positions.map(at)), hostArray('int', [positions.length], positions)];
}

/** `data` with the updates in the places of the indices. */
function scatterElements(call: Call): Value[] {
  const [data, indices, updates] = [0, 1, 2].map((index) => listAt(call, index)) as [HostArray, HostArray, HostArray];
  const result = Array.from(data.data);
  for (const [i, index] of Array.from(indices.data).entries()) {
    const position = index < 0 ? index + result.length : index;
    if (!(position >= 0 && position < result.length)) {
      throw new CudnnGruError('ERR_INDEX_OUT_OF_RANGE', `index ${index} of an axis of ${result.length}`);
    }
    result[position] = updates.data[i] ?? 0;
  }
  return [hostArray(data.type, data.shape, result)];
}

/** The product of all elements: the number of elements of a shape. */
function product(call: Call): Value[] {
  const x = toHost(call.value(0), 'input 0');
  const shape = call.number('keepdims', 1) === 0 ? [] : x.shape.map(() => 1);
  return [filled(x.type, shape, elementCount(Array.from(x.data)))];
}

export const hostOperators: Readonly<Record<string, Operator>> = {
  Mod: onHost(2, undefined, (a, b) => a - Math.floor(a / b) * b),
  Min: onHost(2, undefined, Math.min),
  Max: onHost(2, undefined, Math.max),
  And: truth((a, b) => a !== 0 && b !== 0),
  Or: truth((a, b) => a !== 0 || b !== 0),
  Not: onHost(1, 'bool', (a) => Number(a === 0)),
  Equal: truth((a, b) => a === b),
  Less: truth((a, b) => a < b),
  LessOrEqual: truth((a, b) => a <= b),
  Greater: truth((a, b) => a > b),
  GreaterOrEqual: truth((a, b) => a >= b),
  ReduceProd: { inputs: [1, 1], attributes: ['keepdims'], run: product },
  ScatterElements: { inputs: [3, 3], attributes: ['axis'], run: scatterElements },
  TopK: { inputs: [2, 2], attributes: ['axis', 'largest', 'sorted'], run: topK },
};
