import { checkString } from '../arguments.js';
import { writeFileAtomically } from '../formats/files.js';
import { bestEpoch, errorChart, lossChart } from './charts.js';
import { configurationGroups } from './configuration.js';
import { type Draw, startDrawing } from './drawing.js';
import { forecastChart } from './forecast_chart.js';
import { Html, html, nothing } from './html.js';
import { extent, short } from './numbers.js';
import { style } from './style.js';
import { keyFigures } from './summary.js';
import { errorTable, historyTable } from './tables.js';
import { counted, stepName } from './times.js';
import type { ForecastReport, ForecastSeries } from './types.js';

/**
 * Writes a training's report as one HTML file that needs nothing else: no scripts, no network.
 *
 * @throws TypeError; CudnnGruError `ERR_FILE`
 */
export async function writeForecastReport(path: string, report: ForecastReport): Promise<void> {
  checkString(path, 'path');
  const page = await forecastReportPage(report);
  await writeFileAtomically(path, (file) => file.appendFile(page));
}

// Nothing in the page runs or loads anything, and the browser is told to keep it so.
const policy = "default-src 'none'; style-src 'unsafe-inline'";

/** The report as HTML. */
export async function forecastReportPage(report: ForecastReport): Promise<string> {
  const draw = await startDrawing();
  const step = stepName(report.forecast.times);
  const { title, subtitle, notes = [] } = report;
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
${keyFigures(report, step)}
</header>
<main>
${section('forecast', 'Forecast and truth', forecasts(draw, report, step))}
${section('errors', 'Error by horizon', errorsByHorizon(draw, report, step))}
${section('training', 'Training', training(draw, report))}
${section('configuration', 'Configuration', configurationGroups(report.configuration))}
${notes.length > 0 ? section('notes', 'Notes', html`${notes.map((note) => html`<p>${note}</p>`)}`) : nothing}
</main>
</body>
</html>
`;
  return page.source;
}

function section(id: string, heading: string, content: Html): Html {
  return html`<section id="${id}"><h2>${heading}</h2>
${content}</section>`;
}

const missing = (what: string) => html`<p class="missing">${what}</p>`;

// More would neither fit into a line of a page nor into a file to send to somebody.
const timeLimit = 1500;

function forecasts(draw: Draw, { forecast, target, unit }: ForecastReport, step: string): Html {
  const { length } = forecast.times;
  if (length === 0 || forecast.predictions.length === 0) return missing('No forecasts were made.');
  const shown = lastTimes(forecast, timeLimit);
  const names = { target, unit: inBrackets(unit) };
  const figures = shown.predictions.map(
    (prediction) => html`<figure><figcaption>${counted(prediction.horizon, step)} ahead</figcaption>
${forecastChart(draw, shown, prediction, names)}</figure>`,
  );
  const cut = html`<p class="key">The last ${timeLimit} of ${length} rows that were forecast.</p>`;
  return html`${figures}${length > timeLimit ? cut : nothing}`;
}

function lastTimes({ times, truth, predictions }: ForecastSeries, count: number): ForecastSeries {
  const from = Math.max(0, times.length - count);
  return {
    times: times.slice(from),
    truth: truth.slice(from),
    predictions: predictions.map(({ horizon, values }) => ({ horizon, values: values.slice(from) })),
  };
}

function inBrackets(unit: string | undefined): string {
  return unit ? ` (${unit})` : '';
}

function errorsByHorizon(draw: Draw, { errors, unit }: ForecastReport, step: string): Html {
  const scaled = errors.some(({ mase }) => mase.length > 0);
  if (extent(errors.flatMap(({ mae }) => mae)) === null) return missing('No errors were measured.');
  return html`<figure><figcaption>Mean absolute error</figcaption>
${errorChart(draw, errors, step, inBrackets(unit))}</figure>
${errorTable(errors, step, inBrackets(unit))}
<p class="key">Lowest of each column in bold. MAE: mean absolute error; RMSE: root of the mean squared error${
    scaled
      ? `; MASE: MAE divided by the mean change
from one ${step} to the next in the training rows.`
      : '.'
  }</p>`;
}

function training(draw: Draw, { history }: ForecastReport): Html {
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
