import { type Html, html, nothing } from './html.js';
import { decimalsFor, extent, fixed, mean, short, spread } from './numbers.js';
import { stepsAhead } from './times.js';
import type { ForecastReport, MethodErrors, ReportedEpoch } from './types.js';

interface Measure {
  readonly name: string;
  readonly values: (errors: MethodErrors) => readonly number[];
  /** One number from those of all steps. */
  readonly overall: (values: readonly number[]) => number;
  readonly hasUnit: boolean;
}

const measures: readonly Measure[] = [
  { name: 'MAE', values: ({ mae }) => mae, overall: mean, hasUnit: true },
  { name: 'RMSE', values: ({ rmse }) => rmse, overall: rootMeanSquare, hasUnit: true },
  { name: 'MASE', values: ({ mase }) => mase, overall: mean, hasUnit: false },
  { name: 'sMAPE (%)', values: ({ smape = [] }) => smape, overall: mean, hasUnit: false },
];

// Every step has as many forecasts, so this is the root of the mean squared error over all of them.
function rootMeanSquare(values: readonly number[]): number {
  return Math.sqrt(mean(values.map((value) => value * value)));
}

// Columns that fit on paper.
const columnLimit = 12;

/** MAE, RMSE, MASE and sMAPE: one row for each method, one column for each step ahead, the lowest of each column marked. */
export function errorTable(errors: ForecastReport['errors'], step: string, unit: string): Html {
  const horizon = Math.max(...errors.map(({ mae }) => mae.length));
  const shown = spread(horizon, columnLimit);
  const head = [...shown.map((i) => String(i + 1)), ...(horizon > 1 ? ['all'] : [])];
  const groups = measures.map((measure) => {
    const rows = errors
      .map((one) => ({ name: one.name, values: measure.values(one) }))
      .filter(({ values }) => values.length > 0)
      .map(({ name, values }) => {
        const overall = horizon > 1 ? [measure.overall(values)] : [];
        return { name, cells: [...shown.map((i) => values[i] ?? Number.NaN), ...overall] };
      });
    const label = `${measure.name}${measure.hasUnit ? unit : ''}`;
    return rows.length === 0 ? nothing : errorGroup(label, rows, head.length);
  });
  const columns = head.map((text) => html`<th scope="col">${text}</th>`);
  return html`<div class="scroll"><table class="errors">
<thead><tr><th scope="col">${stepsAhead(step)}</th>${columns}</tr></thead>
${groups}</table></div>`;
}

function errorGroup(label: string, rows: readonly { name: string; cells: readonly number[] }[], columns: number): Html {
  const decimals = decimalsFor(rows.flatMap(({ cells }) => cells));
  const lowest = Array.from({ length: columns }, (_, i) => extent(rows.map(({ cells }) => cells[i]))?.[0]);
  const cell = (value: number, i: number) =>
    html`<td${value === lowest[i] ? html` class="best"` : nothing}>${fixed(value, decimals)}</td>`;
  const body = rows.map(({ name, cells }) => html`<tr><th scope="row">${name}</th>${cells.map(cell)}</tr>`);
  return html`<tbody><tr class="group"><th scope="rowgroup" colspan="${columns + 1}">${label}</th></tr>
${body}</tbody>`;
}

const epochLimit = 200;

/** The training in numbers, folded away until it is asked for. */
export function historyTable(history: readonly ReportedEpoch[]): Html {
  const losses = decimalsFor(history.flatMap(({ trainLoss, validationLoss }) => [trainLoss, validationLoss ?? 0])) + 2;
  const shown = spread(history.length, epochLimit);
  const rows = shown
    .map((i) => history[i] as ReportedEpoch)
    .map(
      ({ epoch, trainLoss, validationLoss, learningRate }) =>
        html`<tr><th scope="row">${epoch}</th><td>${fixed(trainLoss, losses)}</td><td>${fixed(validationLoss, losses)}</td><td>${short(learningRate, 3)}</td></tr>`,
    );
  return html`<details><summary>${shown.length < history.length ? 'Some of the epochs' : 'All epochs'} in numbers</summary><div class="scroll"><table>
<thead><tr><th scope="col">Epoch</th><th scope="col">Training loss</th><th scope="col">Validation loss</th><th scope="col">Learning rate</th></tr></thead>
<tbody>${rows}</tbody></table></div></details>`;
}
