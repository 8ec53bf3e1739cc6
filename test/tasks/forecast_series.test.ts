import { type data, loadModel, saveModel, tasks } from 'cudnn-gru';
import { describe, expect, it } from 'vitest';
import { seriesTable } from '../../lib/tasks/forecasting/series.js';
import { splitSeries } from '../../lib/tasks/forecasting/split.js';
import { temporaryFolder } from '../formats/temporary_folder.js';

const { backtestForecaster, evaluateForecaster, preprocessingOf, trainForecaster } = tasks;
const inFolder = temporaryFolder();
const DAY = 86_400_000;

/** Days of two shops side by side; sales follow the week, and fall to a half on holidays. The last `ahead` days hold no sales. */
function shops(
  days: number,
  ahead = 0,
  change: (row: { shop: string; day: number; sales: number }) => number = (row) => row.sales,
): data.Table {
  const rows = Array.from({ length: days + ahead }, (_, day) => day).flatMap((day) =>
    [
      { shop: 'north', level: 10 },
      { shop: 'south', level: 1000 },
    ].map(({ shop, level }) => {
      const holiday = (day * 7919) % 11 === 0 ? 1 : 0;
      const unrest = ((day * 104729) % 101) / 1010;
      const sales = (level * (1 + (day % 7) / 7 + unrest)) / (holiday ? 2 : 1);
      return { shop, day, holiday, sales: day < days ? change({ shop, day, sales }) : Number.NaN };
    }),
  );
  return {
    source: 'shops',
    rows: rows.length,
    columns: new Map<string, Float64Array | string[]>([
      ['date', rows.map(({ day }) => new Date(day * DAY).toISOString().slice(0, 10))],
      ['shop', rows.map(({ shop }) => shop)],
      ['sales', Float64Array.from(rows, ({ sales }) => sales)],
      ['holiday', Float64Array.from(rows, ({ holiday }) => holiday)],
    ]),
  };
}

const options = {
  target: 'sales',
  time: 'date',
  entity: 'shop',
  known: ['holiday'],
  calendar: ['week'],
  seasons: [7],
  window: 14,
  horizon: 3,
  hiddenSize: 8,
  numLayers: 1,
  dropout: 0,
  batchSize: 16,
  epochs: 2,
  test: 30,
  validation: 30,
} as const;

describe('several series with known columns', () => {
  it('learns them together, on scales of their own, and reads what is known ahead', async () => {
    const { model, evaluation } = await trainForecaster({
      ...options,
      table: shops(300, 3),
      epochs: 40,
      learningRate: 0.01,
    });
    expect(preprocessingOf(model).scaling.map(({ series }) => series)).toEqual(['north', 'south']);
    expect(evaluation?.starts.length).toBe(2 * 28);
    // Seasonal naive does not know the holidays.
    expect(evaluation?.errors.meanMase).toBeLessThan(0.5 * (evaluation?.baselines['season of 7']?.meanMase as number));
    const { data: future, shape } = await model.predict(shops(300, 3));
    expect(shape).toEqual([2, 3]);
    expect((future[3] as number) / (future[0] as number)).toBeGreaterThan(50);
    // What is known ahead is read, and nothing else of the rows to come.
    const table = shops(300, 3);
    const holidays = (table.columns.get('holiday') as Float64Array).map((value, row) =>
      row < 600 ? value : 1 - value,
    );
    const other = { ...table, columns: new Map([...table.columns, ['holiday', holidays] as const]) };
    expect((await model.predict(other)).data).not.toEqual(future);
    await expect(model.predict(shops(300, 2))).rejects.toThrow(
      /the 3 rows to forecast must be in the table, with "holiday"/,
    );
    const stranger = { ...table, columns: new Map([...table.columns, ['shop', Array(606).fill('east')] as const]) };
    await expect(
      model.predict({
        ...stranger,
        columns: new Map([
          ...stranger.columns,
          ['date', Array.from({ length: 606 }, (_, i) => new Date(i * DAY).toISOString().slice(0, 10))] as const,
        ]),
      }),
    ).rejects.toThrow(/not trained on the shop "east"; it knows "north", "south"/);
    model.dispose();
  });

  it('the order of the rows of different series does not matter', async () => {
    const table = shops(120);
    const order = Array.from({ length: 240 }, (_, i) => (i < 120 ? 2 * i : 2 * (i - 120) + 1));
    const sorted = {
      ...table,
      columns: new Map(
        Array.from(table.columns, ([name, column]) => {
          const cells = order.map((row) => column[row] as number | string);
          return [
            name,
            column instanceof Float64Array ? Float64Array.from(cells as number[]) : (cells as string[]),
          ] as const;
        }),
      ),
    };
    const one = await trainForecaster({ ...options, table });
    const two = await trainForecaster({ ...options, table: sorted });
    expect(two.evaluation).toEqual(one.evaluation);
    one.model.dispose();
    two.model.dispose();
  });

  it('refuses what cannot be', async () => {
    const train = (more: object) => trainForecaster({ ...options, table: shops(120), ...more });
    await expect(train({ known: ['sales'] })).rejects.toThrow(/known: expected columns other than the target/);
    await expect(train({ decoder: false })).rejects.toThrow(/decoder/);
    await expect(train({ known: [], calendar: [], seasons: [], decoder: true })).rejects.toThrow(/decoder/);
    await expect(train({ quantiles: [0.1, 0.9] })).rejects.toThrow(/quantiles: expected levels with 0.5/);
    await expect(train({ quantiles: [0.5, 0.1] })).rejects.toThrow(/quantiles\[1\]/);
    await expect(train({ seasons: [1] })).rejects.toThrow(/seasons\[0\]/);
    await expect(train({ targetMode: 'returns' })).rejects.toThrow(/targetMode/);
    await expect(train({ entity: 'town' })).rejects.toThrow(/no column "town"/);
    const gap = shops(120, 0, ({ shop, day, sales }) => (shop === 'south' && day === 50 ? Number.NaN : sales));
    await expect(train({ table: gap })).rejects.toThrow(/shops, row 103, column "sales": the cell is empty/);
    const early = {
      ...shops(120),
      columns: new Map([...shops(120).columns, ['date', Array(240).fill('2020-01-01')] as const]),
    };
    await expect(train({ table: early })).rejects.toThrow(
      /row 4, column "date": .*not later than the row before of its series/,
    );
  });
});

describe('no look-ahead', () => {
  // Any table whose rows from a time on are changed gives the same windows, scales, parameters and forecasts made before it.
  it.each([1, 2, 3, 4])(
    'rows of validation and test leave training alone, rows behind a window its forecast: case %d',
    async (seed) => {
      const random = (low: number, high: number, salt: number) =>
        low + ((seed * 7919 + salt * 104729) % (high - low + 1));
      const [test, validation, window, horizon] = [
        random(10, 40, 1),
        random(10, 40, 2),
        random(8, 20, 3),
        random(1, 6, 4),
      ];
      const days = 160;
      const own = { ...options, test, validation, window, horizon, quantiles: [0.1, 0.5, 0.9], epochs: 1, seed };
      const from = (first: number) => shops(days, 0, ({ day, sales }) => (day < first ? sales : 5 - 3 * sales));
      const one = await trainForecaster({ ...own, table: shops(days) });
      const changedTest = await trainForecaster({ ...own, table: from(days - test) });
      expect(await changedTest.model.stateDict()).toEqual(await one.model.stateDict());
      expect(changedTest.model.preprocessing).toEqual(one.model.preprocessing);
      const changedValidation = await trainForecaster({ ...own, table: from(days - test - validation) });
      expect(await changedValidation.model.stateDict()).toEqual(await one.model.stateDict());
      const starts = [random(0, 60, 5), days + random(0, 60, 6)];
      const behind = Math.max(...starts.map((start) => (start % days) + window));
      const before = await one.model.predictQuantiles(shops(days), starts);
      expect((await one.model.predictQuantiles(from(behind), starts)).data).toEqual(before.data);
      expect((await one.model.predictQuantiles(from(behind - 1), starts)).data).not.toEqual(before.data);
      for (const { model } of [one, changedTest, changedValidation]) model.dispose();
    },
  );

  it('series that begin and end at different times are cut at the same times', () => {
    const table = shops(100);
    const late = (row: number) => row % 2 === 1 && row < 80;
    const rows = Array.from({ length: 200 }, (_, row) => row).filter((row) => !late(row));
    const columns = Array.from(table.columns, ([name, column]) => {
      const cells = rows.map((row) => column[row] as number | string);
      return [
        name,
        column instanceof Float64Array ? Float64Array.from(cells as number[]) : (cells as string[]),
      ] as const;
    });
    const { series, times, ...rest } = seriesTable(
      { ...table, rows: rows.length, columns: new Map(columns) },
      { target: 'sales', inputs: ['sales'], known: [], time: 'date', entity: 'shop' },
    );
    const split = splitSeries({ series, times, ...rest }, { window: 5, horizon: 2, validation: 0.2, test: 0.1 });
    const timeOf = (row: number) => (times as Float64Array)[row] as number;
    expect(split.testRows.map(timeOf)).toEqual([90 * DAY, 90 * DAY]);
    expect(split.validationRows.map(timeOf)).toEqual([70 * DAY, 70 * DAY]);
    for (const start of split.train) expect(timeOf(start + 6)).toBeLessThan(70 * DAY);
    for (const start of split.validation) {
      expect(timeOf(start + 5)).toBeGreaterThanOrEqual(70 * DAY);
      expect(timeOf(start + 6)).toBeLessThan(90 * DAY);
    }
    for (const start of split.test) expect(timeOf(start + 5)).toBeGreaterThanOrEqual(90 * DAY);
    // No window goes from one series into the next.
    const ends = new Set(series.map(({ end }) => end));
    for (const start of [...split.train, ...split.validation, ...split.test]) {
      for (let row = start + 1; row < start + 7; row++) expect(ends.has(row)).toBe(false);
    }
  });
});

describe('quantiles', () => {
  it('rise, are calibrated on validation, and travel in the model file', async () => {
    const { model, evaluation } = await trainForecaster({
      ...options,
      table: shops(300),
      quantiles: [0.05, 0.25, 0.5, 0.75, 0.95],
      epochs: 15,
    });
    const { quantiles, forecasts, errors } = evaluation as tasks.ForecastEvaluation;
    for (let row = 0; row < forecasts.length; row++) {
      const own = [...(quantiles as Float32Array).slice(row * 5, row * 5 + 5)];
      expect(own).toEqual(own.toSorted((a, b) => a - b));
      expect(forecasts[row]).toBe(own[2]);
    }
    expect(errors.quantiles?.coverage).toBeGreaterThan(0.75);
    expect(preprocessingOf(model).margins).toHaveLength(15);
    // On the validation rows themselves the shares are the levels, as exactly as their number allows.
    const table = shops(270);
    const { quantiles: scored } = (await evaluateForecaster(model, table, { last: 30 })).errors;
    for (const [i, level] of [0.05, 0.25, 0.5, 0.75, 0.95].entries()) {
      if (level !== 0.5) expect(Math.abs((scored?.below[i] as number) - level)).toBeLessThan(0.06);
    }
    await saveModel(inFolder('quantiles.safetensors'), model);
    const loaded = (await loadModel(inFolder('quantiles.safetensors'))) as tasks.Forecaster;
    const known = shops(300, 3);
    expect((await loaded.predictQuantiles(known)).data).toEqual((await model.predictQuantiles(known)).data);
    const { model: plain } = await trainForecaster({ ...options, table: shops(120) });
    await expect(plain.predictQuantiles(known)).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
    for (const one of [model, loaded, plain]) one.dispose();
  });
});

describe('recursive forecasts', () => {
  it('are those that a user would make by hand, feeding forecasts back', async () => {
    const { model } = await trainForecaster({ ...options, table: shops(200), horizon: 1, epochs: 4 });
    const { data } = await model.predict(shops(200, 5), undefined, { horizon: 5 });
    let known = shops(200, 5);
    for (let step = 0; step < 5; step++) {
      const next = await model.predict(known);
      for (const shop of [0, 1])
        expect(next.data[shop]).toBeCloseTo(data[shop * 5 + step] as number, shop === 0 ? 3 : 1);
      const sales = (known.columns.get('sales') as Float64Array).slice();
      for (const shop of [0, 1]) sales[2 * (200 + step) + shop] = next.data[shop] as number;
      known = { ...known, columns: new Map([...known.columns, ['sales', sales] as const]) };
    }
    const evaluation = await evaluateForecaster(model, shops(200), { last: 30, horizon: 5 });
    expect(evaluation.errors.mae).toHaveLength(5);
    model.dispose();
  });

  it('are refused where the model reads what is not known ahead', async () => {
    const { known, ...rest } = options;
    const { model } = await trainForecaster({ ...rest, inputs: ['holiday'], table: shops(120) });
    await expect(model.predict(shops(120), undefined, { horizon: 4 })).rejects.toThrow(
      /cannot go on to 4, because it reads "holiday"/,
    );
    expect((await model.predict(shops(120), undefined, { horizon: 2 })).data).toEqual(
      (await model.predict(shops(120))).data.filter((_, i) => i % 3 < 2),
    );
    model.dispose();
  });
});

describe('backtest', () => {
  it('trains anew at each end of the data; the last fold is the ordinary training', async () => {
    const { folds, errors, baselines } = await backtestForecaster({ ...options, table: shops(200), folds: 3 });
    expect(folds.map(({ rows }) => rows)).toEqual([280, 340, 400]);
    expect(folds.map(({ trainedUntil }) => trainedUntil)).toEqual(['1970-04-20', '1970-05-20', '1970-06-19']);
    const { model, evaluation } = await trainForecaster({ ...options, table: shops(200) });
    expect(folds[2]?.evaluation).toEqual(evaluation);
    const mean = folds.reduce((sum, one) => sum + one.evaluation.errors.meanMae, 0) / 3;
    expect(errors.meanMae).toBeCloseTo(mean, 4);
    expect(Object.keys(baselines)).toContain('Holt-Winters 7');
    model.dispose();
    await expect(backtestForecaster({ ...options, table: shops(200), test: 0 })).rejects.toThrow(/test/);
    await expect(backtestForecaster({ ...options, table: shops(200), folds: 9 })).rejects.toMatchObject({
      code: 'ERR_DATA',
    });
  });
});
