import { checkNumber, checkPositiveInteger, wrongKind, wrongRange } from '../arguments.js';

/** Errors of forecasts, per step of the horizon and over all of it; MAE and RMSE in the target's unit. */
export interface ForecastErrors {
  /** Mean absolute error of each step: [horizon]. */
  readonly mae: readonly number[];
  /** Root of the mean squared error of each step: [horizon]. */
  readonly rmse: readonly number[];
  /** Mean of |error| / `naiveScale`: below 1 is better than the naive forecast was in the training rows. [horizon] */
  readonly mase?: readonly number[];
  /** Symmetric mean absolute percentage error, see `smape`. [horizon] */
  readonly smape: readonly number[];
  readonly meanMae: number;
  /** Root of the mean squared error over all steps. */
  readonly meanRmse: number;
  readonly meanMase?: number;
  readonly meanSmape: number;
}

/**
 * Compares forecasts with what came: both [examples, horizon], row-major. `naiveScale`, in the target's unit, one number
 * or one for each example, makes MASE of the absolute errors (R. J. Hyndman, A. B. Koehler, "Another look at measures of forecast
 * accuracy", 2006).
 *
 * @throws RangeError
 */
export function forecastErrors(
  forecasts: ArrayLike<number>,
  truth: ArrayLike<number>,
  horizon: number,
  naiveScale?: number | ArrayLike<number>,
): ForecastErrors {
  checkPositiveInteger(horizon, 'horizon');
  if (truth.length === 0 || truth.length % horizon !== 0) {
    throw wrongRange('truth', `at least one row of ${horizon} values`, truth);
  }
  if (forecasts.length !== truth.length)
    throw wrongRange('forecasts', `${truth.length} values, as in truth`, forecasts);
  const examples = truth.length / horizon;
  const scales = naiveScale === undefined ? null : checkScales(naiveScale, examples);
  const absolute = new Float64Array(horizon);
  const squared = new Float64Array(horizon);
  const scaled = new Float64Array(horizon);
  const relative = new Float64Array(horizon);
  for (let i = 0; i < truth.length; i++) {
    const step = i % horizon;
    const error = Math.abs((forecasts[i] as number) - (truth[i] as number));
    absolute[step] = (absolute[step] as number) + error;
    squared[step] = (squared[step] as number) + error * error;
    relative[step] = (relative[step] as number) + relativeError(forecasts[i] as number, truth[i] as number);
    if (scales) scaled[step] = (scaled[step] as number) + error / (scales[Math.floor(i / horizon)] as number);
  }
  const means = (sums: Float64Array) => Array.from(sums, (sum) => sum / examples);
  const mase = scales && means(scaled);
  return {
    mae: means(absolute),
    rmse: Array.from(squared, (sum) => Math.sqrt(sum / examples)),
    smape: means(relative),
    meanMae: mean(absolute) / examples,
    meanRmse: Math.sqrt(mean(squared) / examples),
    meanSmape: mean(relative) / examples,
    ...(mase && { mase, meanMase: mean(mase) }),
  };
}

function checkScales(naiveScale: number | ArrayLike<number>, examples: number): ArrayLike<number> {
  const scales = typeof naiveScale === 'number' ? new Float64Array(examples).fill(naiveScale) : naiveScale;
  if (scales.length !== examples) throw wrongRange('naiveScale', `one number for each of ${examples} examples`, scales);
  for (let i = 0; i < examples; i++)
    if (!((scales[i] as number) > 0)) throw wrongRange('naiveScale', 'numbers > 0', scales[i]);
  return scales;
}

// In percent; nothing where both are 0.
function relativeError(forecast: number, truth: number): number {
  const size = Math.abs(forecast) + Math.abs(truth);
  return size > 0 ? (200 * Math.abs(forecast - truth)) / size : 0;
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
 * Symmetric mean absolute percentage error, in percent from 0 to 200: mean 200 |ŷ - y| / (|ŷ| + |y|); a step where both are 0 counts as
 * no error (S. Makridakis, M. Hibon, "The M3-Competition", 2000).
 *
 * @throws RangeError when there is nothing to compare, or the lengths differ
 */
export function smape(forecasts: ArrayLike<number>, truth: ArrayLike<number>): number {
  checkPairs(forecasts, truth);
  let sum = 0;
  for (let i = 0; i < truth.length; i++) sum += relativeError(forecasts[i] as number, truth[i] as number);
  return sum / truth.length;
}

/**
 * The empirical quantiles of some numbers: at level q what lies q (n - 1) places behind the least, between neighbours by a straight line
 * (R. J. Hyndman, Y. Fan, "Sample quantiles in statistical packages", 1996, type 7; NumPy's default).
 *
 * @throws TypeError, RangeError for no numbers, or levels that do not rise between 0 and 1
 */
export function quantiles(values: ArrayLike<number>, levels: readonly number[]): number[] {
  checkLevels(levels);
  if (values.length === 0) throw wrongRange('values', 'at least one value', values);
  const sorted = Float64Array.from(values).sort();
  return levels.map((level) => {
    const at = level * (sorted.length - 1);
    const below = sorted[Math.floor(at)] as number;
    return below + (at - Math.floor(at)) * ((sorted[Math.ceil(at)] as number) - below);
  });
}

/** How good forecasts of quantiles are. */
export interface QuantileErrors {
  /** Mean pinball loss of each quantile: [quantiles], in the target's unit. */
  readonly pinball: readonly number[];
  /**
   * Twice the mean of `pinball`: what the continuous ranked probability score becomes when the distribution is known by these quantiles
   * (T. Gneiting, R. Ranjan, "Comparing density forecasts using threshold- and quantile-weighted scoring rules", 2011).
   */
  readonly crps: number;
  /** The share of the truth at or below each quantile, which should be the quantile's level: [quantiles]. */
  readonly below: readonly number[];
  /** The share of the truth inside the interval from the lowest to the highest quantile, ends included. */
  readonly coverage: number;
  /** Mean width of that interval, in the target's unit. */
  readonly width: number;
}

/**
 * Compares forecasts of quantiles, [examples, quantiles] row-major, with what came, [examples]. The pinball loss of level q is
 * max(q (y - ŷ), (q - 1)(y - ŷ)) (R. Koenker, G. Bassett, "Regression quantiles", 1978).
 *
 * @param levels of the quantiles, rising, each between 0 and 1
 * @throws RangeError
 */
export function quantileErrors(
  forecasts: ArrayLike<number>,
  truth: ArrayLike<number>,
  levels: readonly number[],
): QuantileErrors {
  checkLevels(levels);
  const quantiles = levels.length;
  if (truth.length === 0) throw wrongRange('truth', 'at least one value', truth);
  if (forecasts.length !== truth.length * quantiles) {
    throw wrongRange('forecasts', `${quantiles} for each of ${truth.length} true values`, forecasts);
  }
  const pinball = new Float64Array(quantiles);
  const below = new Float64Array(quantiles);
  let inside = 0;
  let width = 0;
  for (let example = 0; example < truth.length; example++) {
    const came = truth[example] as number;
    const at = (quantile: number) => forecasts[example * quantiles + quantile] as number;
    for (const [quantile, level] of levels.entries()) {
      const error = came - at(quantile);
      pinball[quantile] = (pinball[quantile] as number) + Math.max(level * error, (level - 1) * error);
      if (error <= 0) below[quantile] = (below[quantile] as number) + 1;
    }
    if (came >= at(0) && came <= at(quantiles - 1)) inside += 1;
    width += at(quantiles - 1) - at(0);
  }
  const share = (sums: Float64Array) => Array.from(sums, (sum) => sum / truth.length);
  return {
    pinball: share(pinball),
    crps: 2 * mean(share(pinball)),
    below: share(below),
    coverage: inside / truth.length,
    width: width / truth.length,
  };
}

/** @internal Levels of quantiles: rising, each between 0 and 1. */
export function checkLevels(levels: readonly number[], name = 'levels'): readonly number[] {
  if (!Array.isArray(levels) || levels.length === 0) throw wrongKind(name, 'an array of at least one level', levels);
  for (const [i, level] of levels.entries()) {
    checkNumber(level, `${name}[${i}]`, { above: i === 0 ? 0 : (levels[i - 1] as number), below: 1 });
  }
  return levels;
}

function checkPairs(forecasts: ArrayLike<number>, truth: ArrayLike<number>): void {
  if (truth.length === 0) throw wrongRange('truth', 'at least one value', truth);
  if (forecasts.length !== truth.length)
    throw wrongRange('forecasts', `${truth.length} values, as in truth`, forecasts);
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}
