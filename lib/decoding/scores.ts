import { wrongRange } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import type { Settings } from './options.js';

/**
 * What a row's next tokens are ranked by: the model's log-probabilities under the search's conditions, -Infinity for what may not come.
 * The row of the model stays as it is.
 */
export function rank(
  logProbabilities: Float32Array,
  settings: Settings,
  tokens: readonly number[],
  row: number,
): Float32Array {
  if (logProbabilities.some(Number.isNaN)) {
    throw new CudnnGruError('ERR_NON_FINITE', `decoding: the model's logits of row ${row} are not numbers`);
  }
  const { minLength, endToken, repetitionPenalty, allowed } = settings;
  const ranked = allowed ? onlyAllowed(logProbabilities, allowed(tokens, row), row) : logProbabilities.slice();
  if (repetitionPenalty !== 1) {
    for (const token of new Set([settings.start[row] as number, ...tokens])) {
      ranked[token] = (ranked[token] as number) * repetitionPenalty;
    }
  }
  if (endToken >= 0 && tokens.length < minLength) ranked[endToken] = Number.NEGATIVE_INFINITY;
  return ranked;
}

function onlyAllowed(all: Float32Array, allowed: ArrayLike<number> | undefined, row: number): Float32Array {
  if (allowed === undefined) return all.slice();
  if (allowed.length === 0) throw wrongRange('allowed', `at least one token for row ${row}`, allowed);
  const ranked = new Float32Array(all.length).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < allowed.length; i++) {
    const token = allowed[i] as number;
    const value = all[token];
    if (value === undefined) throw wrongRange('allowed', `tokens from 0 to ${all.length - 1}`, token);
    ranked[token] = value;
  }
  return ranked;
}

/** The positions of the `count` largest values, largest first, the first of equal ones first; those of -Infinity are left out. */
export function largest(values: Float32Array, count: number): number[] {
  const found: number[] = [];
  const at = (i: number) => values[found[i] as number] as number;
  let least = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!(value > least)) continue;
    let [low, high] = [0, found.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at(middle) >= value) low = middle + 1;
      else high = middle;
    }
    found.splice(low, 0, i);
    if (found.length > count) found.pop();
    if (found.length === count) least = at(count - 1);
  }
  return found;
}
