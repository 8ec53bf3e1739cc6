import { Array64, indices, item } from './array64.js';
import { sigmoid } from './gru_cell.js';

/** Elementwise functions with the derivative written in terms of x. */
export const unary = {
  tanh: { value: Math.tanh, derivative: (x: number) => 1 - Math.tanh(x) ** 2 },
  sigmoid: { value: sigmoid, derivative: (x: number) => sigmoid(x) * (1 - sigmoid(x)) },
  relu: {
    value: (x: number) => (x > 0 ? x : x <= 0 ? 0 : Number.NaN),
    derivative: (x: number) => (x > 0 ? 1 : 0),
  },
};
export type UnaryName = keyof typeof unary;

/** Operations on two numbers, with the partial derivatives by each. */
export const binary = {
  add: { value: (a: number, b: number) => a + b, byA: () => 1, byB: () => 1 },
  sub: { value: (a: number, b: number) => a - b, byA: () => 1, byB: () => -1 },
  mul: { value: (a: number, b: number) => a * b, byA: (_: number, b: number) => b, byB: (a: number) => a },
  div: {
    value: (a: number, b: number) => a / b,
    byA: (_: number, b: number) => 1 / b,
    byB: (a: number, b: number) => -a / b ** 2,
  },
};
export type BinaryName = keyof typeof binary;

/** The shape of two operands aligned at their last axes, where a size of 1 stretches to the other's. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const sizeA = a[axis - (rank - a.length)] ?? 1;
    const sizeB = b[axis - (rank - b.length)] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) throw new RangeError(`[${a}] and [${b}] do not broadcast`);
    return sizeA === 1 ? sizeB : sizeA;
  });
}

/** Where an operand of `shape` is read for an index of the broadcast result. */
function operandIndex(shape: readonly number[], index: readonly number[]): number[] {
  const skipped = index.length - shape.length;
  return shape.map((size, axis) => (size === 1 ? 0 : item(index, axis + skipped)));
}

export function binaryForward(name: BinaryName, a: Array64, b: Array64): Array64 {
  const out = new Array64(broadcastShape(a.shape, b.shape));
  for (const index of indices(out.shape)) {
    out.set(binary[name].value(a.at(...operandIndex(a.shape, index)), b.at(...operandIndex(b.shape, index))), ...index);
  }
  return out;
}

/** The gradients of both operands: a broadcast element gathers the gradients of every place where it was read. */
export function binaryBackward(name: BinaryName, a: Array64, b: Array64, outGrad: Array64): [Array64, Array64] {
  const [aGrad, bGrad] = [Array64.zerosLike(a), Array64.zerosLike(b)];
  for (const index of indices(outGrad.shape)) {
    const [atA, atB] = [operandIndex(a.shape, index), operandIndex(b.shape, index)];
    const [valueA, valueB, grad] = [a.at(...atA), b.at(...atB), outGrad.at(...index)];
    aGrad.add(grad * binary[name].byA(valueA, valueB), ...atA);
    bGrad.add(grad * binary[name].byB(valueA, valueB), ...atB);
  }
  return [aGrad, bGrad];
}

const keptIndex = (index: readonly number[], axes: readonly number[]): number[] =>
  index.map((i, axis) => (axes.includes(axis) ? 0 : i));

/** factor · the sum over `axes`, which stay with size 1. */
export function sumForward(x: Array64, axes: readonly number[], factor = 1): Array64 {
  const out = new Array64(x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)));
  for (const index of indices(x.shape)) out.add(factor * x.at(...index), ...keptIndex(index, axes));
  return out;
}

/** factor · x repeated along the axes where its size is 1 and that of `shape` is not: the gradient of the sum. */
export function expand(x: Array64, shape: readonly number[], factor = 1): Array64 {
  const out = new Array64(shape);
  for (const index of indices(shape)) out.set(factor * x.at(...operandIndex(x.shape, index)), ...index);
  return out;
}
