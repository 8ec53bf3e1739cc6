import { type Html, html } from './html.js';

/** How a line looks. Lines differ also without colour: on paper, and for eyes that see fewer of them. */
export interface LineStyle {
  readonly stroke: string;
  readonly strokeWidth: number;
  readonly strokeDasharray: string;
}

const dashes = ['none', '6 3', '2 3', '9 3 2 3', '1 5', '12 4'];

/** The look of the line at `index`; the first is the model's. */
export function lineStyle(index: number): LineStyle {
  const series = index % dashes.length;
  return {
    stroke: `var(--series-${series + 1})`,
    strokeWidth: index === 0 ? 2.5 : 1.75,
    strokeDasharray: dashes[series] as string,
  };
}

/** What each line of a chart is. */
export function legend(lines: readonly (readonly [name: string, style: LineStyle])[]): Html {
  const items = lines.map(([name, { stroke, strokeWidth, strokeDasharray }]) => {
    const look = `stroke:${stroke};stroke-width:${strokeWidth};stroke-dasharray:${strokeDasharray}`;
    return html`<li><svg width="30" height="10" aria-hidden="true"><path d="M1,5H29" style="${look}"/></svg>${name}</li>`;
  });
  return html`<ul class="legend">${items}</ul>`;
}
