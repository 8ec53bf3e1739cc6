import { checkString } from '../arguments.js';
import { writeFileAtomically } from '../formats/files.js';
import { errorChart } from './charts.js';
import { type Draw, startDrawing } from './drawing.js';
import { fans } from './fan_chart.js';
import { forecastChart } from './forecast_chart.js';
import { type Html, html, nothing } from './html.js';
import { extent } from './numbers.js';
import { missing, reportPage } from './page.js';
import { coverage } from './quantile_chart.js';
import { keyFigures } from './summary.js';
import { errorTable } from './tables.js';
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

/** The report as HTML. */
export async function forecastReportPage(report: ForecastReport): Promise<string> {
  const draw = await startDrawing();
  const step = stepName(report.forecast.times);
  return reportPage(draw, report, keyFigures(report, step), [
    { id: 'forecast', heading: 'Forecast and truth', content: forecasts(draw, report, step) },
    ...(report.quantiles
      ? [
          { id: 'fans', heading: 'Single forecasts', content: fans(draw, report.quantiles, names(report)) },
          {
            id: 'coverage',
            heading: 'Are the quantiles true?',
            content: coverage(draw, report.quantiles, report.errors, inBrackets(report.unit)),
          },
        ]
      : []),
    { id: 'errors', heading: 'Error by horizon', content: errorsByHorizon(draw, report, step) },
  ]);
}

// More would neither fit into a line of a page nor into a file to send to somebody.
const timeLimit = 1500;

function forecasts(draw: Draw, report: ForecastReport, step: string): Html {
  const { forecast } = report;
  const { length } = forecast.times;
  if (length === 0 || forecast.predictions.length === 0) return missing('No forecasts were made.');
  const shown = lastTimes(forecast, timeLimit);
  const figures = shown.predictions.map(
    (prediction) => html`<figure><figcaption>${counted(prediction.horizon, step)} ahead</figcaption>
${forecastChart(draw, shown, prediction, names(report))}</figure>`,
  );
  const cut = html`<p class="key">The last ${timeLimit} of ${length} rows that were forecast.</p>`;
  return html`${figures}${length > timeLimit ? cut : nothing}`;
}

function lastTimes({ times, truth, predictions }: ForecastSeries, count: number): ForecastSeries {
  const from = Math.max(0, times.length - count);
  return {
    times: times.slice(from),
    truth: truth.slice(from),
    predictions: predictions.map(({ horizon, values, low, high }) => ({
      horizon,
      values: values.slice(from),
      ...(low && high && { low: low.slice(from), high: high.slice(from) }),
    })),
  };
}

function names({ target, unit }: ForecastReport): { target: string; unit: string } {
  return { target, unit: inBrackets(unit) };
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
      ? `; MASE: MAE divided by what the naive forecast had in
the training rows, from one ${step} to the next or over a season; sMAPE: symmetric mean absolute percentage error.`
      : '.'
  }</p>`;
}
