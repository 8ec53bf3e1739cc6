import { bestEpoch, lossChart } from './charts.js';
import { configurationGroups } from './configuration.js';
import type { Draw } from './drawing.js';
import { Html, html, nothing } from './html.js';
import { extent, short } from './numbers.js';
import { style } from './style.js';
import { historyTable } from './tables.js';
import type { ReportedEpoch } from './types.js';

/** What the report of every task begins and ends with. */
export interface ReportFrame {
  readonly title: string;
  readonly subtitle?: string;
  /** What was trained on what, and how. Objects become groups. */
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly history: readonly ReportedEpoch[];
  /** Paragraphs at the end. */
  readonly notes?: readonly string[];
}

export interface Section {
  readonly id: string;
  readonly heading: string;
  readonly content: Html;
}

// Nothing in the page runs or loads anything, and the browser is told to keep it so; pictures are part of the page.
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** A report as one page of HTML: the title, the few numbers looked for first, the task's own sections, training and configuration. */
export function reportPage(draw: Draw, frame: ReportFrame, figures: Html, sections: readonly Section[]): string {
  const { title, subtitle, notes = [] } = frame;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
${subtitle ? html`<p class="subtitle">${subtitle}</p>` : nothing}
${figures}
</header>
<main>
${sections.map(section)}
${section({ id: 'training', heading: 'Training', content: training(draw, frame.history) })}
${section({ id: 'configuration', heading: 'Configuration', content: configurationGroups(frame.configuration) })}
${notes.length > 0 ? section({ id: 'notes', heading: 'Notes', content: html`${notes.map((note) => html`<p>${note}</p>`)}` }) : nothing}
</main>
</body>
</html>
`;
  return page.source;
}

function section({ id, heading, content }: Section): Html {
  return html`<section id="${id}"><h2>${heading}</h2>
${content}</section>`;
}

/** What stands where there is nothing to show. */
export function missing(what: string): Html {
  return html`<p class="missing">${what}</p>`;
}

function training(draw: Draw, history: readonly ReportedEpoch[]): Html {
  if (history.length === 0) return missing('No epoch was recorded.');
  const best = bestEpoch(history);
  const ring = (epoch: number, loss: number | null) =>
    html`<p class="key">The ring marks the lowest validation loss: ${short(loss)}, of epoch ${epoch}.</p>`;
  const losses = extent(history.flatMap(({ trainLoss, validationLoss }) => [trainLoss, validationLoss]));
  const figure = html`<figure><figcaption>Loss of each epoch</figcaption>
${losses ? lossChart(draw, history) : missing('No loss is a finite number.')}</figure>`;
  return html`${figure}
${best ? ring(best.epoch, best.validationLoss) : nothing}
${historyTable(history)}`;
}
