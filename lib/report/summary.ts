import { bestEpoch } from './charts.js';
import { type Html, html } from './html.js';
import { decimalsFor, finite, fixed, mean, short } from './numbers.js';
import { counted } from './times.js';
import type { ForecastReport, MethodErrors } from './types.js';

/** The few numbers that a reader looks for first. */
export function keyFigures({ errors, history, unit }: ForecastReport, step: string): Html {
  const horizon = errors[0]?.mae.length ?? 0;
  const figures: Html[] = [];
  if (horizon > 0) {
    const first = ({ mae }: MethodErrors) => finite(mae[0]);
    figures.push(errorFigure(`MAE, ${counted(1, step)} ahead`, errors, first, unit));
  }
  if (horizon > 1) {
    const overall = ({ mae }: MethodErrors) => finite(mean(mae));
    figures.push(errorFigure(`MAE, mean of ${counted(horizon, step)}`, errors, overall, unit));
  }
  const best = bestEpoch(history);
  if (best !== null) {
    const beside = `validation loss ${short(best.validationLoss)}`;
    figures.push(figure('Best epoch', `${best.epoch}`, ` of ${history.length}`, [beside]));
  }
  return html`<div class="figures">${figures}</div>`;
}

// The model's error, and how it compares with each of the others.
function errorFigure(
  label: string,
  errors: readonly MethodErrors[],
  errorOf: (one: MethodErrors) => number,
  unit: string | undefined,
): Html {
  const [model, ...others] = errors as [MethodErrors, ...MethodErrors[]];
  const own = errorOf(model);
  const decimals = decimalsFor(errors.map(errorOf));
  const beside = others.map((other) => {
    const value = errorOf(other);
    const percent = Math.round((own / value - 1) * 100);
    const sign = percent > 0 ? '+' : percent < 0 ? '−' : '±';
    const difference = Number.isFinite(percent) ? ` (${sign}${Math.abs(percent)} %)` : '';
    return `${other.name} ${fixed(value, decimals)}${difference}`;
  });
  return figure(label, fixed(own, decimals), unit ? ` ${unit}` : '', beside);
}

/** One number with its name above and what to compare it with below. */
export function figure(label: string, value: string, unit: string, beside: readonly string[]): Html {
  return html`<div class="figure"><div class="label">${label}</div>
<div class="value">${value}<small>${unit}</small></div>
${beside.map((text) => html`<div class="beside">${text}</div>`)}</div>`;
}
