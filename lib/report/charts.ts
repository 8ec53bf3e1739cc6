import type { Draw, Layout, Plot } from './drawing.js';
import { type Html, html } from './html.js';
import { type LineStyle, legend, lineStyle } from './lines.js';
import { extent, finite, short, wholeTicks } from './numbers.js';
import { counted, datesOf, stepsAhead } from './times.js';
import type { ForecastSeries, MethodErrors, ReportedEpoch } from './types.js';

const marginLeft = 52;

function grid(plot: Plot) {
  return plot.gridY({ stroke: 'var(--grid)', strokeOpacity: 1 });
}

// The label of a horizontal axis has a line of its own below the ticks.
const labelledBelow = { marginBottom: 44, marginLeft };

/** Training and validation loss of each epoch, with a ring around the lowest validation loss. */
export function lossChart(draw: Draw, history: readonly ReportedEpoch[]): Html {
  const lines = [
    { name: 'Training', style: lineStyle(1), losses: history.map(({ trainLoss }) => finite(trainLoss)) },
    { name: 'Validation', style: lineStyle(0), losses: history.map(({ validationLoss }) => finite(validationLoss)) },
  ].filter(({ losses }) => !losses.every(Number.isNaN));
  const epochs = history.map(({ epoch }) => epoch);
  const best = bestEpoch(history);
  const chart = (plot: Plot, { width, narrow }: Layout) => ({
    ...labelledBelow,
    height: 280,
    x: { label: 'Epoch', tickFormat: 'd', inset: 12, ticks: wholeTicks(...bounds(epochs), width / (narrow ? 50 : 60)) },
    y: { label: 'Loss', nice: true },
    marks: [
      grid(plot),
      ...lines.flatMap(({ losses, style }) => [
        plot.lineY(losses, { x: epochs, y: losses, ...style }),
        // Of a single epoch there is no line.
        plot.dot(losses, { x: epochs, y: losses, r: epochs.length > 50 ? 0 : 2.5, fill: style.stroke }),
      ]),
      ...(best ? [plot.dot([best], { x: 'epoch', y: 'validationLoss', r: 6.5, stroke: 'var(--ink)' })] : []),
    ],
  });
  return html`${legend(lines.map(({ name, style }) => [name, style] as const))}${draw('Loss of each epoch', chart)}`;
}

/** The epoch with the lowest validation loss; null without validation. */
export function bestEpoch(history: readonly ReportedEpoch[]): ReportedEpoch | null {
  return history.reduce<ReportedEpoch | null>((best, one) => {
    const loss = finite(one.validationLoss);
    return loss < (best?.validationLoss ?? Number.POSITIVE_INFINITY) ? one : best;
  }, null);
}

// Charts are only drawn of data that are there; the bounds of nothing would not matter.
function bounds(values: Iterable<number | null>): [number, number] {
  return extent(values) ?? [0, 1];
}

/** One forecast over what came, and below it how far it was off. */
export function forecastChart(
  draw: Draw,
  forecast: ForecastSeries,
  values: ForecastSeries['predictions'][number]['values'],
  axis: { label: string; unit: string },
): Html {
  const dates = datesOf(forecast.times);
  const moments = dates ?? forecast.times.map((_, i) => i + 1);
  const truth = forecast.truth.map(finite);
  const predicted = truth.map((_, i) => finite(values[i]));
  const errors = predicted.map((value, i) => value - (truth[i] as number));
  const truthStyle: LineStyle = { stroke: 'var(--truth)', strokeWidth: 1.25, strokeDasharray: 'none' };
  const forecastStyle: LineStyle = { ...lineStyle(0), strokeWidth: 1.75 };
  const x = (narrow: boolean) => ({
    label: null,
    type: dates ? ('utc' as const) : ('linear' as const),
    domain: extentOf(moments),
    ticks: narrow ? 4 : 12,
  });
  // All forecasts of a report on the same scales, to be compared by eye.
  const domain = bounds([...truth, ...forecast.predictions.flatMap((one) => one.values)]);
  const largest = Math.max(
    ...bounds(forecast.predictions.flatMap((one) => truth.map((value, i) => Math.abs(finite(one.values[i]) - value)))),
  );
  const series = (plot: Plot, { narrow }: Layout) => ({
    height: narrow ? 220 : 280,
    marginLeft,
    x: x(narrow),
    y: { label: axis.label, nice: true, domain },
    marks: [
      grid(plot),
      plot.lineY(predicted, { x: moments, y: predicted, ...forecastStyle }),
      plot.lineY(truth, { x: moments, y: truth, ...truthStyle }),
    ],
  });
  const differences = (plot: Plot, { narrow }: Layout) => ({
    height: 110,
    marginLeft,
    x: { ...x(narrow), axis: null },
    y: { label: `Forecast − truth${axis.unit}`, domain: [-largest, largest], ticks: 4 },
    marks: [
      grid(plot),
      plot.ruleX(errors, {
        x: moments,
        y1: 0,
        y2: errors,
        stroke: forecastStyle.stroke,
        strokeWidth: Math.min(3, Math.max(0.75, (narrow ? 200 : 550) / errors.length)),
      }),
      plot.ruleY([0], { stroke: 'var(--soft)' }),
    ],
    marginBottom: 8,
  });
  const lines = [['Truth', truthStyle] as const, ['Forecast', forecastStyle] as const];
  return html`${legend(lines)}
${draw('The forecast and the truth over time', series)}
${draw('The difference of forecast and truth over time', differences)}`;
}

function extentOf(moments: readonly (Date | number)[]): (Date | number)[] {
  return [moments[0] as Date | number, moments.at(-1) as Date | number];
}

/** The mean absolute error of each method at each step ahead. */
export function errorChart(draw: Draw, errors: readonly MethodErrors[], step: string, unit: string): Html {
  const horizon = Math.max(...errors.map(({ mae }) => mae.length));
  const chart = (plot: Plot, { narrow }: Layout) => ({
    ...labelledBelow,
    height: narrow ? 260 : 300,
    x: { label: stepsAhead(step), inset: 16, tickFormat: 'd', ticks: wholeTicks(1, horizon, narrow ? 8 : 16) },
    y: { label: `MAE${unit}`, nice: true },
    marks: [
      grid(plot),
      // The model last, above the others.
      ...errors.map((method, i) => errorMarks(plot, method, i, step)).reverse(),
    ].flat(),
  });
  const names = errors.map(({ name }, i) => [name, lineStyle(i)] as const);
  return html`${legend(names)}${draw('Mean absolute error of each method at each step ahead', chart)}`;
}

function errorMarks(plot: Plot, { name, mae }: MethodErrors, index: number, step: string) {
  const style = lineStyle(index);
  const values = mae.map(finite);
  const ahead = values.map((_, i) => i + 1);
  const title = values.map((value, i) => `${name}, ${counted(i + 1, step)} ahead: ${short(value)}`);
  return [
    plot.lineY(values, { x: ahead, y: values, ...style }),
    plot.dot(values, { x: ahead, y: values, r: index === 0 ? 4 : 3, fill: style.stroke, title }),
  ];
}
