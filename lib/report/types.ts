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
}

export type ReportedEpoch = Pick<EpochRecord, 'epoch' | 'trainLoss' | 'validationLoss' | 'learningRate'>;

/** Errors of one method for each step of the horizon, all [horizon]; MAE and RMSE in the target's unit. */
export interface MethodErrors {
  readonly name: string;
  readonly mae: readonly number[];
  readonly rmse: readonly number[];
  /** Empty when there is none. */
  readonly mase: readonly number[];
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
  }[];
}
