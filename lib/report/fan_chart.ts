import { type Draw, grid, type Layout, type Plot, sides } from './drawing.js';
import { type Html, html } from './html.js';
import { type LineStyle, legend, lineStyle } from './lines.js';
import { finite } from './numbers.js';
import { datesOf } from './times.js';
import type { ForecastFan, ForecastQuantiles } from './types.js';

const truthStyle: LineStyle = { stroke: 'var(--truth)', strokeWidth: 1.25, strokeDasharray: 'none' };
const medianStyle: LineStyle = { ...lineStyle(0), strokeWidth: 1.75 };

/** Single forecasts, each with its history, its quantiles as nested bands, and what came. */
export function fans(
  draw: Draw,
  { levels, fans: all }: ForecastQuantiles,
  names: { target: string; unit: string },
): Html {
  const figures = all.map(
    (fan) => html`<figure><figcaption>Made after ${fan.times[fan.history.length - 1] ?? ''}</figcaption>
${draw('One forecast with its quantiles, and what came', (plot, layout) => fanChart(plot, layout, fan, levels, names))}</figure>`,
  );
  const bands = pairsOf(levels).map(
    ([low, high]) => `${Math.round(1000 * ((levels[high] as number) - (levels[low] as number))) / 10} %`,
  );
  return html`${legend([
    ['Truth', truthStyle],
    ['Median', medianStyle],
  ])}
${figures}
<p class="key">The bands hold what comes with a probability of ${bands.join(', ')}, from the outermost to the innermost.</p>`;
}

// The outermost quantiles, the next ones, ...
function pairsOf(levels: readonly number[]): [number, number][] {
  return Array.from({ length: Math.floor(levels.length / 2) }, (_, i) => [i, levels.length - 1 - i]);
}

function fanChart(
  plot: Plot,
  { narrow }: Layout,
  { times, history, truth, median, quantiles }: ForecastFan,
  levels: readonly number[],
  { target, unit }: { target: string; unit: string },
) {
  const dates = datesOf(times);
  const moments = dates ?? times.map((_, i) => i + 1);
  const known = history.length;
  // From the last value that was known on, so that the fan opens there.
  const from = moments.slice(known - 1);
  const last = history.at(-1) as number;
  const band = ([low, high]: [number, number]) => {
    const bound = (which: number) => [last, ...quantiles.map((row) => finite(row[which]))];
    return plot.areaY(from, { x: from, y1: bound(low), y2: bound(high), fill: medianStyle.stroke, fillOpacity: 0.18 });
  };
  const all = [...history, ...truth].map(finite);
  const middle = [last, ...median].map(finite);
  return {
    ...sides,
    height: narrow ? 200 : 230,
    marginBottom: 44,
    x: { label: null, type: dates ? ('utc' as const) : ('linear' as const), ticks: narrow ? 4 : 12 },
    y: { label: `${target}${unit}`, nice: true },
    marks: [
      grid(plot),
      ...pairsOf(levels).map(band),
      plot.ruleX([moments[known - 1]], { stroke: 'var(--soft)', strokeDasharray: '3 3' }),
      plot.lineY(middle, { x: from, y: middle, ...medianStyle }),
      plot.lineY(all, { x: moments, y: all, ...truthStyle }),
    ],
  };
}
