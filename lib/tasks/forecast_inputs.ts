import { numericColumn, numericRows, type Table } from '../data/csv.js';
import { fitStandardScaler, Scaler, type ScalerJson } from '../data/scalers.js';
import { CudnnGruError } from '../errors.js';
import type { JsonValue, Module } from '../layers/module.js';
import { type Cycle, cycles, phasesOf, timesOf } from './calendar.js';

/** What turns a table into a forecaster's numbers. Travels in the model file as `preprocessing`. */
export interface ForecastPreprocessing {
  readonly task: 'forecast';
  /** The column that is forecast; also the first input. */
  readonly target: string;
  /** All columns that the model reads, the target first. */
  readonly inputs: readonly string[];
  /** The column of times; null when there is none. */
  readonly time: string | null;
  /** Each adds two inputs, the sine and cosine of the phase. */
  readonly calendar: readonly Cycle[];
  /** Rows that the model reads, and rows that it forecasts. */
  readonly window: number;
  readonly horizon: number;
  /** Fitted on the training rows only. */
  readonly inputScaler: ScalerJson;
  readonly targetScaler: ScalerJson;
  /** Mean absolute change from row to row in the training rows, in the target's unit: the divisor of MASE; 0 for a constant target. */
  readonly naiveScale: number;
  /** The time of the last row that training or validation saw; null without times. */
  readonly trainedUntil: string | null;
}

/** How many features the model reads in each row. */
export function featureCount({ inputs, calendar }: Pick<ForecastPreprocessing, 'inputs' | 'calendar'>): number {
  return inputs.length + 2 * calendar.length;
}

/** Scalers of the target and of the input columns, fitted on the first `rows` rows. */
export function fitScalers(
  table: Table,
  inputs: readonly string[],
  rows: number,
): { inputScaler: Scaler; targetScaler: Scaler } {
  const values = numericRows(table, inputs).subarray(0, rows * inputs.length);
  const target = numericColumn(table, inputs[0] as string).subarray(0, rows);
  return { inputScaler: fitStandardScaler(values, inputs.length), targetScaler: fitStandardScaler(target) };
}

/**
 * The features of every row, [rows, features]: the scaled columns, then sine and cosine of each cycle's phase.
 * @throws CudnnGruError `ERR_DATA` for a missing column or a cell that cannot be used
 */
export function featuresOf(table: Table, preprocessing: ForecastPreprocessing): Float32Array {
  const { inputs, calendar, time } = preprocessing;
  const columns = Scaler.fromJSON(preprocessing.inputScaler).transform(numericRows(table, inputs));
  const times = time !== null && calendar.length > 0 ? timesOf(table, time) : new Float64Array();
  const phases = calendar.map((cycle) => phasesOf(times, cycle));
  const width = featureCount(preprocessing);
  const features = new Float32Array(table.rows * width);
  for (let row = 0; row < table.rows; row++) {
    features.set(columns.subarray(row * inputs.length, (row + 1) * inputs.length), row * width);
    for (const [i, phase] of phases.entries()) {
      const angle = 2 * Math.PI * (phase[row] as number);
      features[row * width + inputs.length + 2 * i] = Math.sin(angle);
      features[row * width + inputs.length + 2 * i + 1] = Math.cos(angle);
    }
  }
  return features;
}

/** The target of every row, scaled: [rows]. */
export function targetsOf(table: Table, { target, targetScaler }: ForecastPreprocessing): Float32Array {
  return Scaler.fromJSON(targetScaler).transform(numericColumn(table, target));
}

/** A model's preprocessing, checked: it may come from a file. @throws CudnnGruError `ERR_FORMAT` */
export function preprocessingOf(model: Module): ForecastPreprocessing {
  const json = model.preprocessing as Record<string, JsonValue> | null;
  const texts = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((item) => typeof item === 'string');
  const count = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 1;
  const textOrNull = (value: unknown) => value === null || typeof value === 'string';
  const valid =
    json?.task === 'forecast' &&
    texts(json.inputs) &&
    json.inputs[0] === json.target &&
    texts(json.calendar) &&
    json.calendar.every((cycle) => cycles.includes(cycle as Cycle)) &&
    textOrNull(json.time) &&
    textOrNull(json.trainedUntil) &&
    (json.time !== null || json.calendar.length === 0) &&
    count(json.window) &&
    count(json.horizon) &&
    typeof json.naiveScale === 'number' &&
    json.naiveScale >= 0;
  if (!valid)
    throw new CudnnGruError(
      'ERR_FORMAT',
      'the model does not say how its forecasts are made: it has no usable preprocessing',
    );
  const preprocessing = json as unknown as ForecastPreprocessing;
  const features = Scaler.fromJSON(preprocessing.inputScaler).features;
  if (features !== preprocessing.inputs.length || Scaler.fromJSON(preprocessing.targetScaler).features !== 1) {
    throw new CudnnGruError('ERR_FORMAT', "the model's scalers do not fit its columns");
  }
  return preprocessing;
}
