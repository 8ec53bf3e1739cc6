import { Array64, item, range } from './array64.js';

// Operations along the time of padded sequences, x [T, B, F]; what they give is [B, F].

/** y[b] = x[steps[b], b]; a step of -1 gives zeros. */
export function gatherTimeForward(x: Array64, steps: readonly number[]): Array64 {
  const y = new Array64([x.size(1), x.size(2)]);
  for (const [b, step] of steps.entries()) {
    for (const f of range(x.size(2))) y.set(step < 0 ? 0 : x.at(step, b, f), b, f);
  }
  return y;
}

export function gatherTimeBackward(x: Array64, steps: readonly number[], yGrad: Array64): Array64 {
  const xGrad = Array64.zerosLike(x);
  for (const [b, step] of steps.entries()) {
    if (step < 0) continue;
    for (const f of range(x.size(2))) xGrad.set(yGrad.at(b, f), step, b, f);
  }
  return xGrad;
}

/** The mean over a row's first lengths[b] steps; zeros for a length of 0. */
export function maskedMeanForward(x: Array64, lengths: readonly number[]): Array64 {
  const y = new Array64([x.size(1), x.size(2)]);
  for (const [b, length] of lengths.entries()) {
    for (const t of range(length)) for (const f of range(x.size(2))) y.add(x.at(t, b, f) / length, b, f);
  }
  return y;
}

export function maskedMeanBackward(x: Array64, lengths: readonly number[], yGrad: Array64): Array64 {
  const xGrad = Array64.zerosLike(x);
  for (const [b, length] of lengths.entries()) {
    for (const t of range(length)) for (const f of range(x.size(2))) xGrad.set(yGrad.at(b, f) / length, t, b, f);
  }
  return xGrad;
}

/** The step of the largest valid value, the first of equal ones, or of the first NaN; -1 for a length of 0. */
function argmaxStep(x: Array64, length: number, b: number, f: number): number {
  let best = length > 0 ? 0 : -1;
  for (let t = 1; t < length; ++t) {
    if (Number.isNaN(x.at(best, b, f))) break;
    if (x.at(t, b, f) > x.at(best, b, f) || Number.isNaN(x.at(t, b, f))) best = t;
  }
  return best;
}

/** The maximum over a row's first lengths[b] steps; zeros for a length of 0. */
export function maskedMaxForward(x: Array64, lengths: readonly number[]): Array64 {
  const y = new Array64([x.size(1), x.size(2)]);
  for (const b of range(x.size(1))) {
    for (const f of range(x.size(2))) {
      const step = argmaxStep(x, item(lengths, b), b, f);
      if (step >= 0) y.set(x.at(step, b, f), b, f);
    }
  }
  return y;
}

/** The gradient goes to the step that was the maximum. */
export function maskedMaxBackward(x: Array64, lengths: readonly number[], yGrad: Array64): Array64 {
  const xGrad = Array64.zerosLike(x);
  for (const b of range(x.size(1))) {
    for (const f of range(x.size(2))) {
      const step = argmaxStep(x, item(lengths, b), b, f);
      if (step >= 0) xGrad.set(yGrad.at(b, f), step, b, f);
    }
  }
  return xGrad;
}
