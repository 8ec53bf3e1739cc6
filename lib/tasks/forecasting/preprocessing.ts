import { fitStandardScaler, Scaler, type ScalerJson } from '../../data/scalers.js';
import { CudnnGruError } from '../../errors.js';
import type { JsonValue, Module } from '../../layers/module.js';
import { naiveScale } from '../../metrics/forecasting.js';
import { type Cycle, cycles } from './calendar.js';
import type { SeriesColumns, SeriesTable } from './series.js';

/** What turns a table into a forecaster's numbers, and its numbers into forecasts. Travels in the model file as `preprocessing`. */
export interface ForecastPreprocessing extends SeriesColumns {
  readonly task: 'forecast';
  /** Each adds two features, the sine and cosine of the phase. */
  readonly calendar: readonly Cycle[];
  /** Rows of a season, shortest first; the first is that of MASE. */
  readonly seasons: readonly number[];
  /** Rows that the model reads, and rows that it forecasts. */
  readonly window: number;
  readonly horizon: number;
  /** Whether the model also reads what is known of the rows that it forecasts. */
  readonly decoder: boolean;
  /** What the model's answers are added to: the last value, or the mean of the training rows. */
  readonly targetMode: 'change' | 'level';
  /** Levels of the quantiles that are forecast, rising, 0.5 among them; empty when only the target is. */
  readonly quantiles: readonly number[];
  /** What validation adds to each quantile at each step, in units of the target's scaler: [horizon, quantiles]. */
  readonly margins: readonly number[];
  /** One for each series. */
  readonly scaling: readonly SeriesScaling[];
  /** The time of the last row that training or validation saw; null without times. */
  readonly trainedUntil: string | null;
}

/** The scale of one series, fitted on its training rows only. */
export interface SeriesScaling {
  readonly series: string;
  /** Of `inputs` and `known`. */
  readonly inputs: ScalerJson;
  readonly target: ScalerJson;
  /** The divisor of MASE: mean absolute change over a season (without seasons: over a row), in the target's unit; 0 for a constant target. */
  readonly naiveScale: number;
}

/** The seasons whose last value the decoder reads of each row to come. */
export function seasonsRead({ seasons, window, decoder }: ForecastPreprocessing): readonly number[] {
  return decoder ? seasons.filter((season) => season <= window) : [];
}

/** How many features a row has: `inputs`, `known`, two for each cycle, one for each season that is read. */
export function featureCount(preprocessing: ForecastPreprocessing): number {
  return preprocessing.inputs.length + aheadCount(preprocessing);
}

/** How many of them are known of the rows to come. */
export function aheadCount(preprocessing: ForecastPreprocessing): number {
  const { known, calendar } = preprocessing;
  return known.length + 2 * calendar.length + seasonsRead(preprocessing).length;
}

/** Scales of all series, each fitted on its rows before the one given. @throws CudnnGruError `ERR_DATA` for a series without any */
export function fitScaling(
  rows: SeriesTable,
  { target, inputs, known }: SeriesColumns,
  seasons: readonly number[],
  validationRows: readonly number[],
  testRows: readonly number[],
): SeriesScaling[] {
  const names = [...inputs, ...known];
  return rows.series.map(({ name, first }, i) => {
    const end = validationRows[i] as number;
    if (end - first < 2) {
      const which = name === '' ? 'the series' : `series ${JSON.stringify(name)}`;
      throw new CudnnGruError('ERR_DATA', `${rows.source}: ${which} has fewer than two rows for training`);
    }
    const columns = names.map((column) => rows.columns.get(column) as Float64Array);
    const values = new Float64Array((end - first) * names.length);
    for (let row = first; row < end; row++) {
      for (const [c, column] of columns.entries()) values[(row - first) * names.length + c] = column[row] as number;
    }
    const targets = rows.columns.get(target) as Float64Array;
    const seen = targets.subarray(first, testRows[i]);
    const period = seasons.find((season) => season < seen.length) ?? 1;
    return {
      series: name,
      inputs: fitStandardScaler(values, names.length).toJSON(),
      target: fitStandardScaler(targets.subarray(first, end)).toJSON(),
      naiveScale: naiveScale(seen, period),
    };
  });
}

/** The scale of a series. @throws CudnnGruError `ERR_DATA` for one that training did not see */
export function scalingOf({ scaling, entity }: ForecastPreprocessing, series: string): SeriesScaling {
  const found = scaling.find((one) => one.series === series);
  if (found) return found;
  const known = scaling.slice(0, 20).map((one) => JSON.stringify(one.series));
  throw new CudnnGruError(
    'ERR_DATA',
    `the model was not trained on the ${entity} ${JSON.stringify(series)}; it knows ${known.join(', ')}${scaling.length > 20 ? ', …' : ''}`,
  );
}

/** A model's preprocessing, checked: it may come from a file. @throws CudnnGruError `ERR_FORMAT` */
export function preprocessingOf(model: Module): ForecastPreprocessing {
  const json = model.preprocessing as Record<string, JsonValue> | null;
  if (!isPreprocessing(json)) {
    throw new CudnnGruError(
      'ERR_FORMAT',
      'the model does not say how its forecasts are made: it has no usable preprocessing',
    );
  }
  const preprocessing = json as unknown as ForecastPreprocessing;
  const { inputs, known, scaling } = preprocessing;
  const fit = scaling.every(
    (one) =>
      Scaler.fromJSON(one.inputs).features === inputs.length + known.length &&
      Scaler.fromJSON(one.target).features === 1,
  );
  if (!fit) throw new CudnnGruError('ERR_FORMAT', "the model's scalers do not fit its columns");
  return preprocessing;
}

function isPreprocessing(json: Record<string, JsonValue> | null): boolean {
  if (json?.task !== 'forecast') return false;
  const list = (value: unknown, of: (item: unknown) => boolean) => Array.isArray(value) && value.every(of);
  const text = (value: unknown) => typeof value === 'string';
  const textOrNull = (value: unknown) => value === null || text(value);
  const count = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 1;
  const { quantiles, margins, horizon } = json;
  return (
    list(json.inputs, text) &&
    (json.inputs as string[])[0] === json.target &&
    list(json.known, text) &&
    list(json.calendar, (cycle) => cycles.includes(cycle as Cycle)) &&
    list(json.seasons, count) &&
    textOrNull(json.time) &&
    textOrNull(json.entity) &&
    textOrNull(json.trainedUntil) &&
    (json.time !== null || (json.calendar as string[]).length === 0) &&
    count(json.window) &&
    count(horizon) &&
    typeof json.decoder === 'boolean' &&
    ['change', 'level'].includes(json.targetMode as string) &&
    list(quantiles, (level) => typeof level === 'number' && level > 0 && level < 1) &&
    list(margins, Number.isFinite) &&
    ((quantiles as number[]).length === 0 || (quantiles as number[]).includes(0.5)) &&
    (margins as number[]).length === (quantiles as number[]).length * (horizon as number) &&
    list(
      json.scaling,
      (one) => text((one as SeriesScaling)?.series) && ((one as SeriesScaling).naiveScale as number) >= 0,
    )
  );
}
