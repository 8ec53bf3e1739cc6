import { type Draw, grid, type Layout, type Plot, sides } from './drawing.js';
import { type Html, html } from './html.js';
import { legend, lineStyle } from './lines.js';
import { extent, finite, short, wholeTicks } from './numbers.js';
import { counted, stepsAhead } from './times.js';
import type { MethodErrors, ReportedEpoch } from './types.js';

// The label of a horizontal axis has a line of its own below the ticks.
const labelledBelow = { marginBottom: 42, ...sides };

// With more of them the dots would run together.
const dotLimit = 60;

/** Training and validation loss of each epoch, with a ring around the lowest validation loss. */
export function lossChart(draw: Draw, history: readonly ReportedEpoch[]): Html {
  const lines = [
    { name: 'Training', style: lineStyle(1), losses: history.map(({ trainLoss }) => finite(trainLoss)) },
    { name: 'Validation', style: lineStyle(0), losses: history.map(({ validationLoss }) => finite(validationLoss)) },
  ].filter(({ losses }) => !losses.every(Number.isNaN));
  const epochs = history.map(({ epoch }) => epoch);
  const best = bestEpoch(history);
  const chart = (plot: Plot, { narrow }: Layout) => ({
    ...labelledBelow,
    height: 280,
    x: {
      label: 'Epoch',
      tickFormat: 'd',
      inset: 12,
      ticks: wholeTicks(...(extent(epochs) ?? [0, 0]), narrow ? 7 : 15),
    },
    y: { label: 'Loss', nice: true },
    marks: [
      grid(plot),
      ...lines.flatMap(({ losses, style }) => [
        plot.lineY(losses, { x: epochs, y: losses, ...style }),
        // A single epoch makes no line.
        ...(epochs.length > dotLimit ? [] : [plot.dot(losses, { x: epochs, y: losses, r: 2.5, fill: style.stroke })]),
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
  const line = plot.lineY(values, { x: ahead, y: values, ...style });
  if (values.length > dotLimit) return [line];
  return [line, plot.dot(values, { x: ahead, y: values, r: index === 0 ? 4 : 3, fill: style.stroke, title })];
}
