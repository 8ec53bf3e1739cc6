import type { ValueName } from './graph_builder.js';
import { isConstant, type Size } from './symbols.js';
import type { TracedStep } from './traced_step.js';

// The least finite float32: what lies behind a row's length is never its maximum.
const lowest = -3.4028234663852886e38;

/**
 * The lengths of an operation as an int32 value [batch]; undefined when they are the whole time.
 *
 * @param timeAxis of input 0
 */
export function lengthsOf(step: TracedStep, timeAxis: number): ValueName | undefined {
  const origin = step.attributeOrigin('lengths');
  if (origin) return step.value(origin);
  const given = step.attributes('lengths') as (ArrayLike<number> | null | undefined)[];
  const isWhole = given.every((lengths, trace) => {
    const time = step.inputShapes(0)[trace]?.[timeAxis];
    return !lengths || Array.from(lengths).every((length) => length === time);
  });
  if (isWhole) return undefined;
  throw step.unsupported("its lengths are calculated by the model: hand on the input's array itself");
}

/** x with the batch first. */
function batchMajor(step: TracedStep): ValueName {
  return step.attribute<boolean>('timeMajor')
    ? step.node('Transpose', [step.input(0)], { perm: [1, 0, 2] })
    : step.input(0);
}

function timeAxisOf(step: TracedStep): number {
  return step.attribute<boolean>('timeMajor') ? 0 : 1;
}

function toInt32(step: TracedStep, value: ValueName): ValueName {
  return step.node('Cast', [value], { to: 6 });
}

function toFloat(step: TracedStep, value: ValueName): ValueName {
  return step.node('Cast', [value], { to: 1 });
}

/** 1 where an integer of each row is above or equal to 0, else 0: [batch, 1] of type float32. */
function isCounted(step: TracedStep, value: ValueName): ValueName {
  const { builder } = step;
  const mask = toFloat(step, step.node('GreaterOrEqual', [value, builder.integer(0, 'int32')]));
  return step.node('Unsqueeze', [mask, builder.integers([1])]);
}

/** One step of each row: the last one by lengths, or the one that is asked for; a row of zeros for -1. */
export function gatherTime(step: TracedStep): ValueName {
  const { builder } = step;
  const timeAxis = timeAxisOf(step);
  const steps = step.attributeOrigin('steps');
  let at: ValueName;
  if (steps) at = step.value(steps);
  else if (step.attributes('steps').some((given) => given !== undefined)) {
    throw step.unsupported("its steps are calculated by the model: hand on the input's array itself");
  } else {
    const lengths = lengthsOf(step, timeAxis);
    if (lengths === undefined) return step.node('Gather', [step.input(0), builder.integer(-1)], { axis: timeAxis });
    at = step.node('Sub', [lengths, builder.integer(1, 'int32')]);
  }
  const inside = step.node('Max', [at, builder.integer(0, 'int32')]);
  const indices = step.node('Unsqueeze', [step.node('Cast', [inside], { to: 7 }), builder.integers([1])]);
  const gathered = step.node('GatherND', [batchMajor(step), indices], { batch_dims: 1 });
  return step.node('Mul', [gathered, isCounted(step, at)]);
}

/** Whether each step lies within its row's length: [batch, time, 1] of type bool. */
function within(step: TracedStep, lengths: ValueName): ValueName {
  const { builder } = step;
  const time = step.inputShape(0)[timeAxisOf(step)] as Size;
  const limit = isConstant(time)
    ? builder.integer(time.offset, 'int32')
    : toInt32(step, step.node('Squeeze', [builder.size(time), builder.integers([0])]));
  const positions = step.node('Range', [builder.integer(0, 'int32'), limit, builder.integer(1, 'int32')]);
  const column = step.node('Unsqueeze', [lengths, builder.integers([1])]);
  return step.node('Unsqueeze', [step.node('Less', [positions, column]), builder.integers([2])]);
}

export function maskedMean(step: TracedStep): ValueName {
  const { builder } = step;
  const timeAxis = timeAxisOf(step);
  const lengths = lengthsOf(step, timeAxis);
  if (lengths === undefined) return step.node('ReduceMean', [step.input(0)], { axes: [timeAxis], keepdims: 0 });
  const masked = step.node('Mul', [batchMajor(step), toFloat(step, within(step, lengths))]);
  const sums = step.node('ReduceSum', [masked, builder.integers([1])], { keepdims: 0 });
  const counts = toFloat(step, step.node('Max', [lengths, builder.integer(1, 'int32')]));
  return step.node('Div', [sums, step.node('Unsqueeze', [counts, builder.integers([1])])]);
}

export function maskedMax(step: TracedStep): ValueName {
  const { builder } = step;
  const timeAxis = timeAxisOf(step);
  const lengths = lengthsOf(step, timeAxis);
  if (lengths === undefined) return step.node('ReduceMax', [step.input(0)], { axes: [timeAxis], keepdims: 0 });
  const masked = step.node('Where', [within(step, lengths), batchMajor(step), builder.float(lowest)]);
  const largest = step.node('ReduceMax', [masked], { axes: [1], keepdims: 0 });
  return step.node('Mul', [largest, isCounted(step, step.node('Sub', [lengths, builder.integer(1, 'int32')]))]);
}
