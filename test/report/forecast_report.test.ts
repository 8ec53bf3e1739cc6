import { readdir, readFile } from 'node:fs/promises';
import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { forecastReportPage } from '../../lib/report/forecast_report.js';
import { type ForecastReport, writeForecastReport } from '../../lib/report/index.js';
import { temporaryFolder } from '../formats/temporary_folder.js';

const inFolder = temporaryFolder();

/** A year of days with forecasts 1 and 7 days ahead, and two methods. */
function yearReport(changes: Partial<ForecastReport> = {}): ForecastReport {
  const days = 365;
  const times = Array.from({ length: days }, (_, i) => new Date(Date.UTC(2015, 0, 1 + i)).toISOString().slice(0, 10));
  const truth = times.map((_, i) => 15 - 10 * Math.cos(i / 58) + 3 * Math.sin(i));
  const ahead = (horizon: number) => ({ horizon, values: truth.map((value, i) => (i < horizon ? null : value + 1)) });
  const rising = Array.from({ length: 7 }, (_, i) => 2 + i / 10);
  return {
    title: 'Temperature',
    subtitle: 'Seven days ahead',
    configuration: {
      seed: 1,
      model: { hiddenSize: 32, nested: { bias: true } },
      data: { inputs: ['a', 'b'], file: null },
    },
    history: [
      { epoch: 1, trainLoss: 0.5, validationLoss: 0.45, learningRate: 0.001 },
      { epoch: 2, trainLoss: 0.4, validationLoss: 0.375, learningRate: 0.003 },
      { epoch: 3, trainLoss: 0.3, validationLoss: 0.39, learningRate: 1e-7 },
    ],
    target: 'temp_max',
    unit: '°C',
    errors: [
      { name: 'GRU', mae: rising, rmse: rising.map((v) => v + 1), mase: rising.map((v) => v / 2) },
      { name: 'persistence', mae: rising.map((v) => v * 1.25), rmse: rising.map((v) => v + 2), mase: rising },
    ],
    forecast: { times, truth, predictions: [ahead(1), ahead(7)] },
    notes: ['The last year was kept aside.'],
    ...changes,
  };
}

async function render(report: ForecastReport) {
  const page = await forecastReportPage(report);
  const { document } = parseHTML(page);
  const text = (selector: string) =>
    [...document.querySelectorAll(selector)].map((one) => String(one.textContent).replace(/\s+/g, ' ').trim());
  return { page, document, text };
}

// Elements that stand alone; all others must be closed, in order.
const empty = new Set(['meta', 'br', 'hr', 'link', 'img', 'input']);

function checkNesting(page: string): void {
  const open: string[] = [];
  const tags = page
    .replace(/<style>[\s\S]*?<\/style>/g, '')
    .matchAll(/<(\/?)([a-zA-Z][\w-]*)(?:"[^"]*"|[^">])*?(\/?)>/g);
  for (const [tag, closing, name = '', alone] of tags) {
    if (closing) expect(open.pop(), tag).toBe(name);
    else if (!alone && !empty.has(name)) open.push(name);
  }
  expect(open).toEqual([]);
}

function checkSelfContained(page: string): void {
  expect(page.replaceAll('http://www.w3.org/2000/svg', '').replaceAll('http://www.w3.org/1999/xlink', '')).not.toMatch(
    /https?:\/\/|<script|<link|<img|<iframe|@import|url\(/i,
  );
}

test('one page with everything in it, well formed, without scripts or addresses', async () => {
  const { page, document, text } = await render(yearReport());
  checkNesting(page);
  checkSelfContained(page);
  expect(page.length).toBeLessThan(500_000);
  expect(page).not.toMatch(/NaN|undefined|\[object/);
  expect(text('head title')).toEqual(['Temperature']);
  expect(text('h1')).toEqual(['Temperature']);
  expect(text('.subtitle')).toEqual(['Seven days ahead']);
  expect(text('h2')).toEqual(['Forecast and truth', 'Error by horizon', 'Training', 'Configuration', 'Notes']);
  expect(text('figcaption')).toEqual(['1 day ahead', '7 days ahead', 'Mean absolute error', 'Loss of each epoch']);
  expect(text('#notes p')).toEqual(['The last year was kept aside.']);
  // Forecast, difference (twice), errors, loss.
  expect(document.querySelectorAll('.wide > svg')).toHaveLength(6);
  expect(document.querySelectorAll('.narrow > svg')).toHaveLength(6);
});

test('key figures compare the model with the other methods', async () => {
  const { text } = await render(yearReport());
  expect(text('.figure')).toEqual([
    'MAE, 1 day ahead 2.00 °C persistence 2.50 (−20 %)',
    'MAE, mean of 7 days 2.30 °C persistence 2.88 (−20 %)',
    'Best epoch 2 of 3 validation loss 0.375',
  ]);
});

test('the table of errors, with the lowest of each column marked', async () => {
  const { text } = await render(yearReport());
  expect(text('.errors thead th')).toEqual(['Days ahead', '1', '2', '3', '4', '5', '6', '7', 'all']);
  expect(text('.errors .group')).toEqual(['MAE (°C)', 'RMSE (°C)', 'MASE']);
  expect(text('.errors tbody tr:not(.group)')[0]).toBe('GRU2.00 2.10 2.20 2.30 2.40 2.50 2.60 2.30');
  // Root of the mean of the squares of 3.0, 3.1, ... 3.6: sqrt(76.51 / 7) = 3.306.
  expect(text('.errors tbody tr:not(.group)')[2]).toBe('GRU3.00 3.10 3.20 3.30 3.40 3.50 3.60 3.31');
  expect(text('.errors td.best')).toHaveLength(3 * 8);
  expect(text('.errors td.best').slice(0, 2)).toEqual(['2.00', '2.10']);
});

test('the configuration in groups, nested ones by path', async () => {
  const { text } = await render(yearReport());
  expect(text('.groups caption')).toEqual(['model', 'data']);
  expect(text('.groups tr')).toEqual(['seed1', 'hiddenSize32', 'nested · biastrue', 'inputsa, b', 'filenone']);
  const looped: Record<string, unknown> = { list: new Float32Array(1000), none: undefined, at: new Date(0) };
  looped.self = looped;
  const { text: odd } = await render(yearReport({ configuration: { looped, big: 10n } }));
  expect(odd('.groups tr')).toContain('at1970-01-01T00:00:00.000Z');
  expect(odd('.groups tr')).toContain('big10');
  expect(odd('.groups').join().length).toBeLessThan(10_000);
});

test('the epochs as a table', async () => {
  const { text } = await render(yearReport());
  expect(text('#training tbody tr')).toEqual(['10.500000.450000.001', '20.400000.375000.003', '30.300000.390001e−7']);
  expect(text('#training .key')).toEqual(['The ring marks the lowest validation loss: 0.375, of epoch 2.']);
});

test('texts are shown as they are, whatever they contain', async () => {
  const hostile = `</title></style><script>alert(1)</script><img src=x onerror='a'>"&amp;`;
  const report = yearReport();
  const { page, document, text } = await render({
    ...report,
    title: hostile,
    subtitle: hostile,
    target: hostile,
    unit: hostile,
    notes: [hostile],
    configuration: { [hostile]: hostile, group: { [hostile]: [hostile] } },
    errors: report.errors.map((one) => ({ ...one, name: hostile })),
    forecast: { ...report.forecast, times: report.forecast.times.map(() => hostile) },
  });
  checkNesting(page);
  expect(document.querySelectorAll('script, img')).toHaveLength(0);
  expect(page).not.toMatch(/<script|<img/i);
  expect(text('h1')).toEqual([hostile]);
  expect(text('#notes p')).toEqual([hostile]);
  expect(text('.errors th[scope="row"]')[0]).toBe(hostile);
});

test('a report of nothing says so', async () => {
  const { page, text } = await render({
    title: 'Nothing',
    configuration: {},
    history: [],
    target: 'y',
    errors: [],
    forecast: { times: [], truth: [], predictions: [] },
  });
  checkNesting(page);
  expect(text('.missing')).toEqual(['No forecasts were made.', 'No errors were measured.', 'No epoch was recorded.']);
  expect(text('svg')).toEqual([]);
});

test('one epoch, one forecast, one step, no validation, no unit', async () => {
  const { page, document, text } = await render({
    title: 'Short',
    configuration: {},
    history: [{ epoch: 1, trainLoss: 0.5, validationLoss: null, learningRate: 0.001 }],
    target: 'y',
    errors: [{ name: 'GRU', mae: [2], rmse: [3], mase: [] }],
    forecast: { times: ['2015-01-01'], truth: [1], predictions: [{ horizon: 1, values: [2] }] },
  });
  checkNesting(page);
  expect(page).not.toMatch(/NaN|Infinity|undefined/);
  expect(text('.figure')).toEqual(['MAE, 1 step ahead 2.00']);
  expect(text('.errors thead th')).toEqual(['Steps ahead', '1']);
  expect(text('.errors .group')).toEqual(['MAE', 'RMSE']);
  expect(text('#errors .key').join()).not.toContain('MASE');
  expect(document.querySelectorAll('#training .wide circle')).toHaveLength(1);
});

test('values that are not finite are gaps', async () => {
  const report = yearReport();
  const gaps = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const history = gaps.map((loss, i) => ({ epoch: i + 1, trainLoss: loss, validationLoss: loss, learningRate: loss }));
  const method = { name: 'GRU', mae: gaps, rmse: gaps, mase: gaps };
  const forecast = {
    times: ['2015-01-01', '2015-01-02', '2015-01-03'],
    truth: gaps,
    predictions: [{ horizon: 1, values: gaps }],
  };
  for (const one of [
    { ...report, history, errors: [method], forecast },
    { ...report, history: [...report.history, ...history], errors: [...report.errors, method] },
  ]) {
    const { page } = await render(one);
    checkNesting(page);
    expect(page).not.toMatch(/NaN|Infinity/);
  }
});

test('a series that never changes, forecast without error', async () => {
  const report = yearReport();
  const constant = report.forecast.truth.map(() => 5);
  const { page, document } = await render({
    ...report,
    forecast: { ...report.forecast, truth: constant, predictions: [{ horizon: 1, values: constant }] },
  });
  expect(page).not.toMatch(/NaN|Infinity/);
  expect(document.querySelectorAll('#forecast .wide > svg')).toHaveLength(2);
});

test('rows without dates, many steps', async () => {
  const steps = Array.from({ length: 48 }, (_, i) => i + 1);
  const { text } = await render({
    ...yearReport(),
    errors: [{ name: 'GRU', mae: steps, rmse: steps, mase: steps }],
    forecast: { times: ['1', '2', '3'], truth: [1, 2, 3], predictions: [{ horizon: 1, values: [2, 3, 4] }] },
  });
  expect(text('figcaption')[0]).toBe('1 step ahead');
  const columns = text('.errors thead th');
  expect([columns[1], columns.at(-2), columns.at(-1)]).toEqual(['1', '48', 'all']);
  expect(columns).toHaveLength(14);
  // Over all steps, also those that have no column.
  expect(text('.errors tbody tr:not(.group) td:last-child')[0]).toBe('24.5');
});

test('a page stays small, however much it is about', async () => {
  const many = Array.from({ length: 50_000 }, (_, i) => Math.sin(i / 50));
  const steps = many.slice(0, 1000);
  const { page, text } = await render({
    ...yearReport(),
    history: many
      .slice(0, 5000)
      .map((trainLoss, i) => ({ epoch: i + 1, trainLoss, validationLoss: null, learningRate: 1 })),
    errors: ['GRU', 'a', 'b', 'c'].map((name) => ({ name, mae: steps, rmse: steps, mase: steps })),
    forecast: {
      times: many.map((_, i) => new Date(i * 3_600_000).toISOString()),
      truth: many,
      predictions: [1, 1000].map((horizon) => ({ horizon, values: many })),
    },
  });
  checkNesting(page);
  expect(page.length).toBeLessThan(2_000_000);
  expect(text('#forecast .key')).toEqual(['The last 1500 of 50000 rows that were forecast.']);
  expect(text('#training tbody tr')).toHaveLength(200);
});

test('the same report gives the same bytes', async () => {
  expect(await forecastReportPage(yearReport())).toBe(await forecastReportPage(yearReport()));
});

test('written whole or not at all', async () => {
  const path = inFolder('report.html');
  await writeForecastReport(path, yearReport());
  expect(await readFile(path, 'utf8')).toBe(await forecastReportPage(yearReport()));
  expect(await readdir(inFolder())).toEqual(['report.html']);
  await expect(writeForecastReport(inFolder('missing/report.html'), yearReport())).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_FILE' }),
  );
  await expect(writeForecastReport('', yearReport())).rejects.toThrow();
});

test('quantiles: bands, fans, reliability and scores', async () => {
  const plain = yearReport();
  const levels = [0.05, 0.5, 0.95];
  const horizon = 7;
  const bounded = plain.forecast.predictions.map((one) => ({
    ...one,
    low: one.values.map((value) => value && value - 2),
    high: one.values.map((value) => value && value + 2),
  }));
  const days = (from: number, count: number) => plain.forecast.times.slice(from, from + count);
  const fan = {
    times: days(100, 14 + horizon),
    history: Array.from({ length: 14 }, (_, i) => 10 + i),
    truth: Array<number>(horizon).fill(24),
    median: Array<number>(horizon).fill(23),
    quantiles: Array.from({ length: horizon }, (_, i) => [22 - i, 23, 25 + i]),
  };
  const { page, text } = await render(
    yearReport({
      forecast: { ...plain.forecast, predictions: bounded },
      quantiles: { levels, fans: [fan, { ...fan, times: days(200, 14 + horizon) }] },
      errors: plain.errors.map((one, i) =>
        i === 0 ? { ...one, crps: 1.25, coverage: 0.913, below: [0.04, 0.48, 0.953] } : one,
      ),
    }),
  );
  checkNesting(page);
  checkSelfContained(page);
  expect(page).not.toMatch(/NaN|undefined|\[object/);
  expect(text('#fans figcaption')).toEqual([`Made after ${days(113, 1)[0]}`, `Made after ${days(213, 1)[0]}`]);
  expect(text('#fans .key')).toEqual([expect.stringContaining('a probability of 90 %')]);
  expect(text('#coverage tbody tr')).toEqual(['GRU1.2591.3']);
  expect(text('#coverage thead th')).toEqual(['Method', 'CRPS (°C)', 'within the 90 % interval (%)']);
});
