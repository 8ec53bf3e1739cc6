import { CudnnGruError } from '../../errors.js';
import * as ops from '../../ops/index.js';
import { elementCount, type Tensor } from '../../tensor/tensor.js';
import { combine, mapHost } from './host_array.js';
import { type Call, type Operator, onlyFirstOutput } from './operator.js';
import { axisOf, isTensor, permute, toHost, toTensor, type Value } from './values.js';

// Operators that calculate: with tensors through `ops`, with shapes and masks on the host.

type Arithmetic = (a: number, b: number) => number;

function binary(
  onTensors: (a: Tensor, b: Tensor) => Tensor,
  onHost: Arithmetic,
  weights: readonly number[] = [],
): Operator {
  return {
    inputs: [2, 2],
    attributes: [],
    weights,
    run: (call) => {
      const [a, b] = [call.value(0), call.value(1)];
      if (isTensor(a) || isTensor(b)) return [onTensors(call.tensor(0), call.tensor(1))];
      // Integers are divided towards 0.
      const rounded = a.type === 'float' ? Math.fround : Math.trunc;
      return [combine(a.type, a, b, (x, y) => rounded(onHost(x, y)))];
    },
  };
}

function unary(operation: (x: Tensor) => Tensor): Operator {
  return { inputs: [1, 1], attributes: [], run: (call) => [operation(call.tensor(0))] };
}

function negate(call: Call): Value[] {
  const x = call.value(0);
  return [isTensor(x) ? ops.scale(x, -1) : mapHost(x.type, x, (value) => -value)];
}

/** condition ? a : b, with the condition as factors, so that what is not chosen must be finite. */
function where(call: Call): Value[] {
  const condition = toHost(call.value(0), 'input 0');
  const [a, b] = [call.value(1), call.value(2)];
  if (!isTensor(a) && !isTensor(b)) {
    const chosen = combine(a.type, condition, a, (c, x) => (c ? x : 0));
    const other = combine(a.type, condition, b, (c, x) => (c ? 0 : x));
    return [combine(a.type, chosen, other, (x, y) => x + y)];
  }
  for (const value of [a, b]) {
    if (!isTensor(value) && !Array.from(value.data).every(Number.isFinite)) {
      throw new CudnnGruError('ERR_UNSUPPORTED', 'Where with numbers that are not finite');
    }
  }
  const chosen = (value: Value, whenTrue: boolean) => {
    const factor = mapHost('float', condition, (c) => Number((c !== 0) === whenTrue));
    return ops.mul(toTensor(value, call.device), toTensor(factor, call.device));
  };
  return [ops.add(chosen(a, true), chosen(b, false))];
}

/** Row-wise over one axis, which is brought to the end; before operator set 13 over all axes from `axis` on as one. */
function softmax(operation: (x: Tensor) => Tensor): Operator {
  return {
    inputs: [1, 1],
    attributes: ['axis'],
    run: (call) => {
      const x = call.tensor(0);
      const axis = axisOf(call.number('axis', call.opset < 13 ? 1 : -1), x.rank);
      if (call.opset < 13) {
        const rows = elementCount(x.shape.slice(0, axis));
        return [operation(x.reshape(rows, elementCount(x.shape.slice(axis)))).reshape(x.shape)];
      }
      if (axis === x.rank - 1) return [operation(x)];
      return [ops.transpose(operation(ops.transpose(x, axis, -1)), axis, -1)];
    },
  };
}

/** alpha A B + beta C, with A and B transposed as asked. */
function gemm(call: Call): Value[] {
  const [a, b] = [call.tensor(0), call.tensor(1)];
  const c = call.has(2) ? call.tensor(2) : null;
  const [alpha, beta] = [call.number('alpha', 1), call.number('beta', 1)];
  const [transposeA, transposeB] = [call.number('transA', 0) !== 0, call.number('transB', 0) !== 0];
  const isLinear = !transposeA && transposeB && alpha === 1 && beta === 1;
  if (isLinear && (!c || (c.rank === 1 && c.size === b.shape[0]))) return [ops.linear(a, b, c)];
  const product = ops.matmul(a, b, { transposeA, transposeB });
  const scaled = alpha === 1 ? product : ops.scale(product, alpha);
  if (!c) return [scaled];
  return [ops.add(scaled, beta === 1 ? c : ops.scale(c, beta))];
}

function layerNormalization(call: Call): Value[] {
  const x = call.tensor(0);
  const size = elementCount(x.shape.slice(axisOf(call.number('axis', -1), x.rank)));
  const rows = x.reshape(size === 0 ? 0 : x.size / size, size);
  const bias = call.has(2) ? call.tensor(2).reshape(size) : null;
  return [ops.layerNorm(rows, call.tensor(1).reshape(size), bias, call.number('epsilon', 1e-5)).reshape(x.shape)];
}

type Reduction = (x: Tensor, axes: readonly number[]) => Tensor;

function reduce(operation: Reduction): Operator {
  return {
    inputs: [1, 2],
    attributes: ['axes', 'keepdims', 'noop_with_empty_axes'],
    run: (call) => {
      const x = call.tensor(0);
      const given = (call.list('axes', 1) ?? []).map((axis) => axisOf(axis, x.rank));
      const all = given.length === 0 && call.number('noop_with_empty_axes', 0) === 0;
      const axes = new Set(all ? x.shape.keys() : given);
      const reduced = operation(x, [...axes]);
      const keeps = call.number('keepdims', 1) !== 0;
      return [keeps ? reduced.reshape(x.shape.map((d, axis) => (axes.has(axis) ? 1 : d))) : reduced];
    },
  };
}

/** The maximum over axes, by bringing them to the place where `maskedMax` has the time. */
const maximum: Reduction = (x, axes) => {
  const kept = [...x.shape.keys()].filter((axis) => !axes.includes(axis));
  const last = permute(x, [...kept, ...axes]) as Tensor;
  const shape = kept.map((axis) => x.shape[axis] as number);
  const [rows, count] = [elementCount(shape), elementCount(axes.map((axis) => x.shape[axis] as number))];
  const lengths = new Int32Array(rows).fill(count);
  return ops.maskedMax(last.reshape(rows, count, 1), lengths).reshape(shape);
};

export const mathOperators: Readonly<Record<string, Operator>> = {
  Add: binary(ops.add, (a, b) => a + b, [0, 1]),
  Sub: binary(ops.sub, (a, b) => a - b),
  Mul: binary(ops.mul, (a, b) => a * b, [0, 1]),
  Div: binary(ops.div, (a, b) => a / b),
  Where: { inputs: [3, 3], attributes: [], run: where },
  Neg: { inputs: [1, 1], attributes: [], run: negate },
  Relu: unary(ops.relu),
  Tanh: unary(ops.tanh),
  Sigmoid: unary(ops.sigmoid),
  Softmax: softmax(ops.softmax),
  LogSoftmax: softmax(ops.logSoftmax),
  MatMul: {
    inputs: [2, 2],
    attributes: [],
    weights: [0, 1],
    run: (call) => [ops.matmul(call.tensor(0), call.tensor(1))],
  },
  Gemm: { inputs: [2, 3], attributes: ['alpha', 'beta', 'transA', 'transB'], weights: [0, 1, 2], run: gemm },
  LayerNormalization: {
    inputs: [2, 3],
    attributes: ['axis', 'epsilon', 'stash_type'],
    weights: [1, 2],
    refuse: onlyFirstOutput,
    run: layerNormalization,
  },
  ReduceMean: reduce(ops.mean),
  ReduceSum: reduce(ops.sum),
  ReduceMax: reduce(maximum),
};
