import { type Array64, item, range } from './array64.js';
import { type CellWeights, sigmoid } from './gru_cell.js';

/** The low-precision GRU in plain float64: every rounding that the formats demand is done here as float32 does it, all else is exact. */
export type Precision = 'int8' | 'bfloat16';

/** A row of numbers as whole numbers times a step; the step of bfloat16 is 1. */
export interface QuantizedRow {
  values: number[];
  step: number;
}

function nearestEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

const scratch = new DataView(new ArrayBuffer(4));

/** The bfloat16 nearest to a finite float32, ties to even. */
export function bfloat16(x: number): number {
  scratch.setFloat32(0, x);
  const bits = scratch.getUint32(0);
  const [kept, dropped] = [Math.floor(bits / 0x10000), bits % 0x10000];
  const up = dropped > 0x8000 || (dropped === 0x8000 && kept % 2 === 1);
  scratch.setUint32(0, (kept + (up ? 1 : 0)) * 0x10000);
  return scratch.getFloat32(0);
}

const largestOf = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const asBfloat16 = (values: readonly number[]): QuantizedRow => ({ values: values.map(bfloat16), step: 1 });

export function quantizeWeights(values: readonly number[], precision: Precision): QuantizedRow {
  if (precision === 'bfloat16') return asBfloat16(values);
  const step = Math.fround(largestOf(values) / 127);
  return { values: values.map((value) => (step === 0 ? 0 : Math.round(value / step))), step };
}

export function quantizeInput(values: readonly number[], precision: Precision): QuantizedRow {
  if (precision === 'bfloat16') return asBfloat16(values);
  const largest = largestOf(values);
  if (largest === 0) return { values: values.map(() => 0), step: 0 };
  const factor = Math.fround(127 / largest);
  return { values: values.map((value) => nearestEven(Math.fround(value * factor))), step: largest / 127 };
}

export function quantizeState(values: readonly number[], precision: Precision): QuantizedRow {
  if (precision === 'bfloat16') return asBfloat16(values);
  return { values: values.map((value) => nearestEven(Math.fround(value * 127))), step: 1 / 127 };
}

export interface QuantizedCell {
  input: QuantizedRow[]; // [3H]
  hidden: QuantizedRow[]; // [3H]
  biasIh: Array64 | null;
  biasHh: Array64 | null;
}

export function quantizeCell(weights: CellWeights, precision: Precision): QuantizedCell {
  const rowsOf = (matrix: Array64) =>
    range(matrix.size(0)).map((row) =>
      quantizeWeights(
        range(matrix.size(1)).map((i) => matrix.at(row, i)),
        precision,
      ),
    );
  const { weightIh, weightHh, biasIh, biasHh } = weights;
  return { input: rowsOf(weightIh), hidden: rowsOf(weightHh), biasIh, biasHh };
}

function affine(rows: QuantizedRow[], bias: Array64 | null, row: number, vector: QuantizedRow): number {
  const weights = item(rows, row);
  const sum = vector.values.reduce((total, value, i) => total + value * item(weights.values, i), 0);
  return sum * weights.step * vector.step + (bias?.at(row) ?? 0);
}

/** One step of one row of the reset-after cell. */
export function quantizedStep(cell: QuantizedCell, precision: Precision, x: number[], h: number[]): number[] {
  const size = h.length;
  const [input, state] = [quantizeInput(x, precision), quantizeState(h, precision)];
  const fromInput = (row: number) => affine(cell.input, cell.biasIh, row, input);
  const fromState = (row: number) => affine(cell.hidden, cell.biasHh, row, state);
  return range(size).map((i) => {
    const r = sigmoid(fromInput(i) + fromState(i));
    const z = sigmoid(fromInput(size + i) + fromState(size + i));
    const n = Math.tanh(fromInput(2 * size + i) + r * fromState(2 * size + i));
    return z * item(h, i) + (1 - z) * n;
  });
}
