import type { EpochRecord } from '../training/types.js';
import type { ReportFrame } from './page.js';

/** What the report of a forecaster shows. Values that are null or not finite appear as gaps. */
export interface ForecastReport extends ReportFrame {
  /** The column that was forecast, and its unit. */
  readonly target: string;
  readonly unit?: string;
  /** The model first, then what it is compared with. */
  readonly errors: readonly MethodErrors[];
  readonly forecast: ForecastSeries;
  /** Where quantiles were forecast. */
  readonly quantiles?: ForecastQuantiles;
}

/** Forecasts of quantiles. */
export interface ForecastQuantiles {
  /** Rising. */
  readonly levels: readonly number[];
  readonly fans: readonly ForecastFan[];
}

/** One forecast with its quantiles. */
export interface ForecastFan {
  /** ISO dates or times of the history, then of the rows that are forecast. */
  readonly times: readonly string[];
  readonly history: readonly number[];
  /** [horizon] */
  readonly truth: readonly number[];
  readonly median: readonly number[];
  /** [horizon][levels] */
  readonly quantiles: readonly (readonly number[])[];
}

export type ReportedEpoch = Pick<EpochRecord, 'epoch' | 'trainLoss' | 'validationLoss' | 'learningRate'>;

/** Errors of one method for each step of the horizon, all [horizon]; MAE and RMSE in the target's unit. */
export interface MethodErrors {
  readonly name: string;
  readonly mae: readonly number[];
  readonly rmse: readonly number[];
  /** Empty when there is none. */
  readonly mase: readonly number[];
  /** In percent, where it was measured. */
  readonly smape?: readonly number[];
  /** Where the method has quantiles: continuous ranked probability score, share of the truth within the outermost quantiles, and at or below each. */
  readonly crps?: number | undefined;
  readonly coverage?: number | undefined;
  readonly below?: readonly number[] | undefined;
}

/** Forecasts beside what came. */
export interface ForecastSeries {
  /** ISO dates or times that are forecast, rising; anything else is drawn by its position. */
  readonly times: readonly string[];
  /** [times] */
  readonly truth: readonly number[];
  readonly predictions: readonly {
    /** Steps ahead, from 1 on. */
    readonly horizon: number;
    /** [times]: the forecast of each time, made `horizon` steps before; null where there is none. */
    readonly values: readonly (number | null)[];
    /** [times]: the outermost quantiles, where there are some. */
    readonly low?: readonly (number | null)[];
    readonly high?: readonly (number | null)[];
  }[];
}
