import { checkNumber, checkPositiveInteger } from '../../arguments.js';
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
  /** Standard deviation of the errors on normal rows, in scaled units: [features]. */
  readonly errorScale: readonly number[];
  /** Rows of a training example; with `reconstruct` also of what is reconstructed. */
  readonly window: number;
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
    if (!Array.isArray(errorScale) || errorScale.length !== inputs.length) throw new Error();
    for (const scale of errorScale) checkNumber(scale, 'errorScale', { above: 0 });
    if (Scaler.fromJSON(json.scaler).features !== inputs.length) throw new Error();
    checkPositiveInteger(json.window, 'window');
    checkNumber(json.threshold, 'threshold', { min: 0 });
  } catch {
    throw new CudnnGruError('ERR_FORMAT', 'the model does not say what is normal: it has no usable preprocessing');
  }
  return json as unknown as DetectionPreprocessing;
}
