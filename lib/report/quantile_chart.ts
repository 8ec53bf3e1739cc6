import { type Draw, diagonal, grid, type Layout, type Plot } from './drawing.js';
import { type Html, html, nothing } from './html.js';
import { legend, lineStyle } from './lines.js';
import { decimalsFor, finite, fixed } from './numbers.js';
import type { ForecastQuantiles, MethodErrors } from './types.js';

/** How often what came lay at or below each quantile, beside how often it should; the scores of all methods with quantiles. */
export function coverage(
  draw: Draw,
  { levels }: ForecastQuantiles,
  errors: readonly MethodErrors[],
  unit: string,
): Html {
  const [model] = errors;
  if (!model?.below) return html`${nothing}`;
  const below = model.below.map(finite);
  const style = lineStyle(0);
  const chart = (plot: Plot, { narrow }: Layout) => ({
    marginLeft: 52,
    marginBottom: 42,
    height: narrow ? 320 : 420,
    x: { label: 'Level of the quantile', domain: [0, 1] },
    y: { label: 'Share of the truth at or below it', domain: [0, 1] },
    marks: [
      grid(plot),
      diagonal(plot),
      plot.lineY(below, { x: levels, y: below, ...style }),
      plot.dot(below, { x: levels, y: below, r: 4, fill: style.stroke }),
    ],
  });
  const inside = (levels.at(-1) as number) - (levels[0] as number);
  const scored = errors.filter(({ crps }) => crps !== undefined);
  const decimals = decimalsFor(scored.map(({ crps }) => crps as number));
  const rows = scored.map(
    ({ name, crps, coverage: share }) =>
      html`<tr><th scope="row">${name}</th><td>${fixed(crps, decimals)}</td><td>${fixed(100 * (share as number), 1)}</td></tr>`,
  );
  return html`<figure><figcaption>Reliability of the quantiles</figcaption>
${legend([['GRU', style]])}
${draw('Share of the truth at or below each quantile, by its level', chart)}</figure>
<div class="scroll"><table><thead><tr><th scope="col">Method</th><th scope="col">CRPS${unit}</th><th scope="col">within the ${fixed(100 * inside, 0)} % interval (%)</th></tr></thead>
<tbody>${rows}</tbody></table></div>
<p class="key">On the dashed line a quantile is as often right as it says. CRPS: twice the mean pinball loss of the quantiles. The quantiles of the other
methods are those of their errors in the rows before.</p>`;
}
