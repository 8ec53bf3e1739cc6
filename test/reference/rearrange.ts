import { Array64, indices, item } from './array64.js';

const withAxis = (index: readonly number[], axis: number, value: number): number[] =>
  index.map((i, a) => (a === axis ? value : i));

/** The parts side by side along `axis`. */
export function concatForward(parts: readonly Array64[], axis: number): Array64 {
  const length = parts.reduce((sum, part) => sum + part.size(axis), 0);
  const out = new Array64(withAxis(item(parts, 0).shape, axis, length));
  let start = 0;
  for (const part of parts) {
    for (const index of indices(part.shape)) {
      out.set(part.at(...index), ...withAxis(index, axis, start + item(index, axis)));
    }
    start += part.size(axis);
  }
  return out;
}

/** Each part's gradient is its slice. */
export function concatBackward(parts: readonly Array64[], axis: number, outGrad: Array64): Array64[] {
  let start = 0;
  return parts.map((part) => {
    start += part.size(axis);
    return sliceForward(outGrad, axis, start - part.size(axis), start);
  });
}

/** x from `start` up to, not including, `end` along `axis`. */
export function sliceForward(x: Array64, axis: number, start: number, end: number): Array64 {
  const out = new Array64(withAxis(x.shape, axis, end - start));
  for (const index of indices(out.shape)) {
    out.set(x.at(...withAxis(index, axis, start + item(index, axis))), ...index);
  }
  return out;
}

export function sliceBackward(x: Array64, axis: number, start: number, outGrad: Array64): Array64 {
  const xGrad = Array64.zerosLike(x);
  for (const index of indices(outGrad.shape)) {
    xGrad.set(outGrad.at(...index), ...withAxis(index, axis, start + item(index, axis)));
  }
  return xGrad;
}

/** Two axes exchanged; its gradient is the same exchange of the gradient. */
export function transpose(x: Array64, first: number, second: number): Array64 {
  const exchange = (index: readonly number[]) =>
    withAxis(withAxis(index, first, item(index, second)), second, item(index, first));
  const out = new Array64(exchange(x.shape));
  for (const index of indices(x.shape)) out.set(x.at(...index), ...exchange(index));
  return out;
}
