import { checkInteger, checkPositiveInteger, wrongRange } from '../arguments.js';

/** Errors of forecasts, per step of the horizon and over all of it; MAE and RMSE in the target's unit. */
export interface ForecastErrors {
  /** Mean absolute error of each step: [horizon]. */
  readonly mae: readonly number[];
  /** Root of the mean squared error of each step: [horizon]. */
  readonly rmse: readonly number[];
  /** MAE divided by `naiveScale`: below 1 is better than repeating the last value was in the training rows. [horizon] */
  readonly mase?: readonly number[];
  readonly meanMae: number;
  /** Root of the mean squared error over all steps. */
  readonly meanRmse: number;
  readonly meanMase?: number;
}

/**
 * Compares forecasts with what came: both [examples, horizon], row-major. `naiveScale`, in the target's unit, turns MAE
 * into MASE (R. J. Hyndman, A. B. Koehler, "Another look at measures of forecast accuracy", 2006).
 */
export function forecastErrors(
  forecasts: ArrayLike<number>,
  truth: ArrayLike<number>,
  horizon: number,
  naiveScale?: number,
): ForecastErrors {
  checkPositiveInteger(horizon, 'horizon');
  if (truth.length === 0 || truth.length % horizon !== 0) {
    throw wrongRange('truth', `at least one row of ${horizon} values`, truth);
  }
  if (forecasts.length !== truth.length)
    throw wrongRange('forecasts', `${truth.length} values, as in truth`, forecasts);
  const absolute = new Float64Array(horizon);
  const squared = new Float64Array(horizon);
  for (let i = 0, step = 0; i < truth.length; i++) {
    const error = (forecasts[i] as number) - (truth[i] as number);
    absolute[step] = (absolute[step] as number) + Math.abs(error);
    squared[step] = (squared[step] as number) + error * error;
    step = step + 1 === horizon ? 0 : step + 1;
  }
  const examples = truth.length / horizon;
  const mae = Array.from(absolute, (sum) => sum / examples);
  const errors = {
    mae,
    rmse: Array.from(squared, (sum) => Math.sqrt(sum / examples)),
    meanMae: mean(mae),
    meanRmse: Math.sqrt(mean(squared) / examples),
  };
  if (naiveScale === undefined) return errors;
  if (!(naiveScale > 0)) throw wrongRange('naiveScale', 'a number > 0', naiveScale);
  return { ...errors, mase: mae.map((value) => value / naiveScale), meanMase: errors.meanMae / naiveScale };
}

/**
 * The mean absolute error of the forecast 'as `period` rows before' within a series (the training rows), in its unit:
 * mean |x[t] - x[t - period]|. The divisor of MASE.
 */
export function naiveScale(series: ArrayLike<number>, period = 1): number {
  checkPositiveInteger(period, 'period');
  if (series.length <= period) throw wrongRange('series', `more than ${period} values`, series);
  let sum = 0;
  for (let t = period; t < series.length; t++) sum += Math.abs((series[t] as number) - (series[t - period] as number));
  return sum / (series.length - period);
}

/**
 * The share of examples whose highest score is that of their label: scores [examples, classes] (logits or
 * probabilities), labels [examples]. Labels equal to `ignoreIndex` do not count; NaN when none counts.
 */
export function accuracy(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  ignoreIndex = -100,
): number {
  checkPositiveInteger(classes, 'classes');
  if (scores.length !== labels.length * classes) {
    throw wrongRange('scores', `${classes} for each of ${labels.length} labels`, scores);
  }
  let counted = 0;
  let right = 0;
  for (let example = 0; example < labels.length; example++) {
    if (labels[example] === ignoreIndex) continue;
    const label = checkInteger(labels[example], `labels[${example}]`, { min: 0, below: classes });
    counted += 1;
    if (highest(scores, example * classes, classes) === label) right += 1;
  }
  return right / counted;
}

// The first of the highest of `count` scores from `start` on, counted from `start`.
function highest(scores: ArrayLike<number>, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) {
    if ((scores[start + i] as number) > (scores[start + best] as number)) best = i;
  }
  return best;
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}
