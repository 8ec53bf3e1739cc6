import { exportGru } from './export_gru.js';
import { gatherTime, maskedMax, maskedMean } from './export_sequences.js';
import type { ValueName } from './graph_builder.js';
import { constantSize, isConstant, type Size, sameSize } from './symbols.js';
import { distinct, type TracedStep } from './traced_step.js';

/** Makes the nodes of one operation; gives the values of its results. */
export type Rule = (step: TracedStep) => ValueName | ValueName[];

function elementwise(operator: string): Rule {
  return (step) =>
    step.node(
      operator,
      step.inputs.map((_, index) => step.input(index)),
    );
}

function scale(step: TracedStep): ValueName {
  const [factor, offset] = [step.attribute<number>('factor'), step.attribute<number>('offset')];
  const x = step.input(0);
  const scaled = factor === 1 ? x : step.node('Mul', [x, step.builder.float(factor)]);
  return offset === 0 ? scaled : step.node('Add', [scaled, step.builder.float(offset)]);
}

/** 0 stands for a size that stays, -1 for one that follows from the others. */
function reshape(step: TracedStep): ValueName {
  const [from, to] = [step.inputShape(0), step.resultShape()];
  const stays = (size: Size, axis: number) =>
    !isConstant(size) && from[axis] !== undefined && sameSize(size, from[axis]);
  const open = to.filter((size, axis) => !isConstant(size) && !stays(size, axis));
  const shape =
    open.length > 1
      ? step.builder.sizes(to)
      : step.builder.integers(to.map((size, axis) => (isConstant(size) ? size.offset : stays(size, axis) ? 0 : -1)));
  return step.node('Reshape', [step.input(0), shape]);
}

function dropout(step: TracedStep): ValueName {
  if (step.attribute<number>('probability') === 0) return step.input(0);
  throw step.unsupported('dropout that acts in eval()');
}

function embedding(step: TracedStep): ValueName {
  const ids = step.attributeOrigin('ids');
  if (!ids) throw step.unsupported('its ids are no tensor of the model');
  return step.node('Gather', [step.input(0), step.value(ids)], { axis: 0 });
}

function layerNorm(step: TracedStep): ValueName {
  const features = step.inputShape(0).at(-1) ?? constantSize(0);
  if (!isConstant(features)) throw step.unsupported('its last axis depends on the sizes');
  const ones = () => step.builder.weight('ones', [features.offset], new Float32Array(features.offset).fill(1));
  const inputs = [step.input(0), step.has(1) ? step.input(1) : ones()];
  if (step.has(2)) inputs.push(step.input(2));
  return step.node('LayerNormalization', inputs, { axis: -1, epsilon: step.attribute<number>('epsilon') });
}

function linear(step: TracedStep): ValueName {
  const inputs = step.inputs.flatMap((input, index) => (input ? [step.input(index)] : []));
  if (step.inputShape(0).length === 2) return step.node('Gemm', inputs, { transB: 1 });
  const [x, weight, bias] = inputs as [ValueName, ValueName, ValueName | undefined];
  const product = step.node('MatMul', [x, step.node('Transpose', [weight], { perm: [1, 0] })]);
  return bias === undefined ? product : step.node('Add', [product, bias]);
}

function transposeOf(step: TracedStep, x: ValueName, rank: number, [a, b]: readonly [number, number]): ValueName {
  const perm = Array.from({ length: rank }, (_, axis) => (axis === a ? b : axis === b ? a : axis));
  return step.node('Transpose', [x], { perm });
}

function matmul(step: TracedStep): ValueName {
  const operands = (['transposeA', 'transposeB'] as const).map((name, index) => {
    const rank = step.inputShape(index).length;
    if (!step.attribute<boolean>(name)) return step.input(index);
    return transposeOf(step, step.input(index), rank, [rank - 2, rank - 1]);
  });
  return step.node('MatMul', operands);
}

function concat(step: TracedStep): ValueName {
  const count = step.inputCount();
  if (!isConstant(count)) return repeat(step, count);
  return step.node(
    'Concat',
    step.inputs.map((_, index) => step.input(index)),
    { axis: step.attribute<number>('axis') },
  );
}

/** One tensor side by side with itself, as often as a size says. */
function repeat(step: TracedStep, count: Size): ValueName {
  if (distinct(step.inputs).length !== 1) throw step.unsupported('the number of its inputs depends on the sizes');
  const axis = step.attribute<number>('axis');
  const repeats = step.inputShape(0).map((_, at) => (at === axis ? count : constantSize(1)));
  return step.node('Tile', [step.input(0), step.builder.sizes(repeats)]);
}

function slice(step: TracedStep): ValueName {
  const axis = step.attribute<number>('axis');
  const length = step.inputShape(0)[axis] as Size;
  const [start, end] = [step.size('start'), step.size('end')];
  const { builder } = step;
  // The end of a whole axis, whatever its length.
  const stop = sameSize(end, length) ? builder.integers([Number.MAX_SAFE_INTEGER]) : position(step, end, length);
  return step.node('Slice', [step.input(0), position(step, start, length), stop, builder.integers([axis])]);
}

/** A position counted from the front, or from the end where it keeps its distance to that. */
function position({ builder }: TracedStep, at: Size, length: Size): ValueName {
  const fromEnd = at.offset - length.offset;
  const followsEnd = !isConstant(at) && sameSize({ ...at, offset: length.offset }, length) && fromEnd < 0;
  return followsEnd ? builder.integers([fromEnd]) : builder.size(at);
}

function transpose(step: TracedStep): ValueName {
  return transposeOf(step, step.input(0), step.inputShape(0).length, step.attribute<[number, number]>('axes'));
}

function sum(step: TracedStep): ValueName {
  const axes = step.attribute<number[]>('axes');
  const factors = step.attributes('factor') as number[];
  const counts = step.inputShapes(0).map((shape) => axes.reduce((count, axis) => count * (shape[axis] ?? 0), 1));
  if (axes.length === 0) return step.input(0);
  if (factors.every((factor) => factor === 1)) {
    return step.node('ReduceSum', [step.input(0), step.builder.integers(axes)], { keepdims: 0 });
  }
  if (factors.every((factor, trace) => factor === 1 / (counts[trace] as number))) {
    return step.node('ReduceMean', [step.input(0)], { axes, keepdims: 0 });
  }
  throw step.unsupported('a sum that is no plain sum or mean');
}

function rowWise(operator: string): Rule {
  return (step) => step.node(operator, [step.input(0)], { axis: -1 });
}

function quantized(step: TracedStep): never {
  throw step.unsupported('a quantized GRU has no ONNX form; export the model it was made from');
}

/** How each operation is written, by its name in `ops`. */
export const exportRules: Readonly<Record<string, Rule>> = {
  add: elementwise('Add'),
  sub: elementwise('Sub'),
  mul: elementwise('Mul'),
  div: elementwise('Div'),
  scale,
  tanh: elementwise('Tanh'),
  sigmoid: elementwise('Sigmoid'),
  relu: elementwise('Relu'),
  clone: elementwise('Identity'),
  reshape,
  dropout,
  embedding,
  gru: exportGru,
  gruQuantized: quantized,
  layerNorm,
  linear,
  matmul,
  concat,
  slice,
  transpose,
  sum,
  gatherTime,
  maskedMean,
  maskedMax,
  softmax: rowWise('Softmax'),
  logSoftmax: rowWise('LogSoftmax'),
};
