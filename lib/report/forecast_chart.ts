import { type Draw, grid, type Layout, type Plot, sides } from './drawing.js';
import { type Html, html } from './html.js';
import { type LineStyle, legend, lineStyle } from './lines.js';
import { extent, finite } from './numbers.js';
import { datesOf } from './times.js';
import type { ForecastSeries } from './types.js';

type Prediction = ForecastSeries['predictions'][number];

const truthStyle: LineStyle = { stroke: 'var(--truth)', strokeWidth: 1.25, strokeDasharray: 'none' };
const forecastStyle: LineStyle = { ...lineStyle(0), strokeWidth: 1.75 };

/**
 * One of the forecasts over what came, and below it how far it was off. All forecasts of a report get the same scales, to be compared
 * by eye.
 */
export function forecastChart(
  draw: Draw,
  forecast: ForecastSeries,
  prediction: Prediction,
  { target, unit }: { target: string; unit: string },
): Html {
  const truth = forecast.truth.map(finite);
  const predicted = truth.map((_, i) => finite(prediction.values[i]));
  const errors = errorsOf(truth, prediction);
  const dates = datesOf(forecast.times);
  const moments = dates ?? forecast.times.map((_, i) => i + 1);
  const x = (narrow: boolean) => ({
    label: null,
    type: dates ? ('utc' as const) : ('linear' as const),
    domain: [moments[0] as Date | number, moments.at(-1) as Date | number],
    ticks: narrow ? 4 : 12,
  });
  const [low, high] = [prediction.low?.map(finite), prediction.high?.map(finite)];
  const drawn = forecast.predictions.flatMap(({ values, low = [], high = [] }) => [...values, ...low, ...high]);
  const domain = extent([...truth, ...drawn]) ?? [0, 1];
  const reach = extent(forecast.predictions.flatMap((one) => errorsOf(truth, one).map(Math.abs)))?.[1] || 1;

  const values = (plot: Plot, { narrow }: Layout) => ({
    ...sides,
    height: narrow ? 230 : 290,
    marginBottom: 44,
    x: x(narrow),
    y: { label: `${target}${unit}`, nice: true, domain },
    marks: [
      grid(plot),
      ...(low && high
        ? [plot.areaY(low, { x: moments, y1: low, y2: high, fill: forecastStyle.stroke, fillOpacity: 0.22 })]
        : []),
      plot.lineY(predicted, { x: moments, y: predicted, ...forecastStyle }),
      plot.lineY(truth, { x: moments, y: truth, ...truthStyle }),
    ],
  });
  const differences = (plot: Plot, { narrow }: Layout) => ({
    ...sides,
    height: 110,
    marginBottom: 8,
    x: { ...x(narrow), axis: null },
    y: { label: `Forecast − truth${unit}`, nice: true, domain: [-reach, reach], ticks: 4 },
    marks: [
      grid(plot),
      plot.ruleX(errors, {
        x: moments,
        y1: 0,
        y2: errors,
        stroke: forecastStyle.stroke,
        // With some paper between the bars, as far as they are not too many for it.
        strokeWidth: Math.min(3, Math.max(0.75, (narrow ? 180 : 550) / errors.length)),
      }),
      plot.ruleY([0], { stroke: 'var(--soft)' }),
    ],
  });
  return html`${legend([
    ['Truth', truthStyle],
    ['Forecast', forecastStyle],
  ])}
${draw('The forecast and the truth over time', values)}
${draw('The difference of forecast and truth over time', differences)}`;
}

function errorsOf(truth: readonly number[], { values }: Prediction): number[] {
  return truth.map((value, i) => finite(values[i]) - value);
}
