import type { PlotOptions } from '@observablehq/plot';
import { Html, html } from './html.js';

/** Room for a chart, in CSS pixels. */
export interface Layout {
  readonly name: 'wide' | 'narrow';
  readonly width: number;
  readonly narrow: boolean;
}

/** Draws a chart for every layout; `label` says what it shows to those who do not see it. */
export type Draw = (label: string, chart: (plot: Plot, layout: Layout) => PlotOptions) => Html;

export type Plot = typeof import('@observablehq/plot');

/** Charts above one another share their left and right edges. */
export const sides = { marginLeft: 52, marginRight: 20 };

/** A colour that gets stronger from a share of 0 to one of 1, as `fillOpacity`: a scale of colours cannot mix custom properties. */
export const shades = { opacity: { type: 'linear' as const, domain: [0, 1], range: [0, 1] } };

export function grid(plot: Plot) {
  return plot.gridY({ stroke: 'var(--grid)', strokeOpacity: 1 });
}

/** Where two shares are equal: what the points of a reliability diagram should lie on. */
export function diagonal(plot: Plot) {
  const ends = [
    [0, 0],
    [1, 1],
  ];
  return plot.line(ends, { stroke: 'var(--soft)', strokeDasharray: '4 4' });
}

// One for wide screens and paper, one for telephones; the page shows the one that fits. Scaled down, the text would be too small to read.
const layouts: readonly Layout[] = [
  { name: 'wide', width: 880, narrow: false },
  { name: 'narrow', width: 350, narrow: true },
];

/** Loads the library of the charts and a document for it to draw in. */
export async function startDrawing(): Promise<Draw> {
  const [plot, { parseHTML }] = await Promise.all([import('@observablehq/plot'), import('linkedom')]);
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const style = { fontSize: '12px', overflow: 'visible' };
  return (label, chart) => {
    const drawn = layouts.map((layout) => {
      const { width, name } = layout;
      const options = { ...chart(plot, layout), document, width, style } as unknown as PlotOptions;
      const svg = new Html(String(plot.plot(options).outerHTML));
      return html`<div class="${name}" role="img" aria-label="${label}">${svg}</div>`;
    });
    return html`${drawn}`;
  };
}
