import { Array64, item, range } from '../reference/array64.js';
import type { GruProblem } from '../reference/gru.js';
import type { CellWeights } from '../reference/gru_cell.js';
import { random32 } from './checks.js';

export interface GruSettings {
  time: number;
  batch: number;
  inputSize: number;
  hiddenSize: number;
  layers?: number;
  directions?: 1 | 2;
  bias?: boolean;
  resetBefore?: boolean;
  lengths?: number[] | null;
  dropout?: GruProblem['dropout'];
  initialHidden?: boolean;
  inputScale?: number; // x is drawn from ± this
  weightScale?: number; // in units of 1 / sqrt(hiddenSize)
  seed?: number;
}

/** A problem with random values that float32 holds; biases in ±0.5, so that a forgotten one is seen. */
export function gruProblem(settings: GruSettings): GruProblem {
  const { time, batch, inputSize, hiddenSize, layers = 1, directions = 1, bias = true, seed = 1 } = settings;
  const bound = (settings.weightScale ?? 1) / Math.sqrt(hiddenSize);
  let drawn = 0;
  const draw = (shape: number[], scale: number) => random32(1000 * seed + ++drawn, shape, -scale, scale);
  const weights: CellWeights[] = range(layers * directions).map((cell) => ({
    weightIh: draw([3 * hiddenSize, cell < directions ? inputSize : directions * hiddenSize], bound),
    weightHh: draw([3 * hiddenSize, hiddenSize], bound),
    biasIh: bias ? draw([3 * hiddenSize], 0.5) : null,
    biasHh: bias ? draw([3 * hiddenSize], 0.5) : null,
  }));
  return {
    x: draw([time, batch, inputSize], settings.inputScale ?? 1),
    initialHidden: settings.initialHidden === false ? null : draw([layers * directions, batch, hiddenSize], 1),
    weights,
    directions,
    resetBefore: settings.resetBefore ?? false,
    lengths: settings.lengths ?? null,
    dropout: settings.dropout ?? null,
  };
}

/** Only some rows of the batch. */
export function rowsOf(problem: GruProblem, rows: readonly number[]): GruProblem {
  return {
    ...problem,
    x: takeRows(problem.x, rows),
    initialHidden: problem.initialHidden && takeRows(problem.initialHidden, rows),
    lengths: problem.lengths && rows.map((row) => item(problem.lengths as number[], row)),
  };
}

/** The rows along the second axis: that of x, output and hidden. */
export function takeRows(array: Array64, rows: readonly number[]): Array64 {
  const [first, features] = [array.size(0), array.size(2)];
  const values = range(first).flatMap((t) => rows.flatMap((row) => range(features).map((f) => array.at(t, row, f))));
  return new Array64([first, rows.length, features], values);
}

/** The steps from `start` up to, not including, `end`. */
export function takeSteps(array: Array64, start: number, end: number): Array64 {
  const stepCount = array.count / array.size(0);
  const values = array.data.slice(start * stepCount, end * stepCount);
  return new Array64([end - start, array.size(1), array.size(2)], values);
}
