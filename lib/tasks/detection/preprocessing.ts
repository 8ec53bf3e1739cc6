import { checkInteger, checkNumber, checkPositiveInteger } from '../../arguments.js';
import { Scaler, type ScalerJson } from '../../data/scalers.js';
import { CudnnGruError } from '../../errors.js';
import type { Module } from '../../layers/module.js';

/** What turns rows into a detector's numbers and its numbers into alarms. Travels in the model file as `preprocessing`. */
export interface DetectionPreprocessing {
  readonly task: 'detect';
  /** The columns that the model reads. */
  readonly inputs: readonly string[];
  /** The column that tells one series from the other; null when there is but one. */
  readonly entity: string | null;
  /** Fitted on the training rows. */
  readonly scaler: ScalerJson;
  /** Spread of the errors on normal rows, in scaled units, when k rows before were held: [hold + 1, features]. */
  readonly errorScale: readonly (readonly number[])[];
  /** How much larger the errors of the first rows of a series are, of which the model has not seen enough: [rows, features], at least 1. */
  readonly warmUp: readonly (readonly number[])[];
  /** Rows whose errors are larger than this, in units of `errorScale` and before smoothing, are held: the model goes on from what it expected. */
  readonly gate: number;
  /** Rows in a row that may be held. */
  readonly hold: number;
  /** The mean over the errors of the last rows counts those 1 + smoothing rows ago e times less; 0: each row by itself. */
  readonly smoothing: number;
  /** Rows of a training example; with `reconstruct` also of what is reconstructed. */
  readonly window: number;
  /** Rows over which the spread of a series' own errors is followed; 0: it is that of all series. */
  readonly adaptation: number;
  /** A score above it is an alarm. */
  readonly threshold: number;
}

/** A model's preprocessing, checked: it may come from a file. @throws CudnnGruError `ERR_FORMAT` */
export function detectionPreprocessingOf(model: Module): DetectionPreprocessing {
  const json = model.preprocessing as Partial<Record<keyof DetectionPreprocessing, unknown>> | null;
  try {
    const { inputs, entity, errorScale } = json ?? {};
    const texts = Array.isArray(inputs) && inputs.every((name) => typeof name === 'string');
    if (json?.task !== 'detect' || !texts || !(entity === null || typeof entity === 'string')) throw new Error();
    const hold = checkInteger(json.hold, 'hold', { min: 0 });
    checkScales(errorScale, inputs.length);
    if (errorScale.length !== hold + 1) throw new Error();
    checkScales(json.warmUp, inputs.length);
    checkNumber(json.gate, 'gate', { min: 0 });
    checkNumber(json.smoothing, 'smoothing', { min: 0 });
    if (json.adaptation !== 0) checkNumber(json.adaptation, 'adaptation', { min: 1 });
    if (Scaler.fromJSON(json.scaler).features !== inputs.length) throw new Error();
    checkPositiveInteger(json.window, 'window');
    checkNumber(json.threshold, 'threshold', { min: 0 });
  } catch {
    throw new CudnnGruError('ERR_FORMAT', 'the model does not say what is normal: it has no usable preprocessing');
  }
  return json as unknown as DetectionPreprocessing;
}

function checkScales(value: unknown, features: number): asserts value is number[][] {
  if (!Array.isArray(value)) throw new Error();
  for (const scales of value) {
    if (!Array.isArray(scales) || scales.length !== features) throw new Error();
    for (const scale of scales) checkNumber(scale, 'scale', { above: 0 });
  }
}
