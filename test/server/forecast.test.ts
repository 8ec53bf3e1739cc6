import { saveModel, tasks } from 'cudnn-gru';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { cut, seriesTable } from '../tasks/series.js';
import { post, serve, smallModel } from './run_server.js';

const inFolder = temporaryFolder();
const table = seriesTable(200);
let model: tasks.Forecaster;

beforeAll(async () => {
  const options = { table, target: 'level', inputs: ['other'], time: 'date', window: 12, horizon: 3, hiddenSize: 6 };
  ({ model } = await tasks.trainForecaster({ ...options, epochs: 1, seed: 1 }));
  await saveModel(inFolder('level.safetensors'), model);
  await saveModel(inFolder('small.safetensors'), smallModel(1));
});

function columnsOf(rows: number): Record<string, unknown[]> {
  return Object.fromEntries(Array.from(cut(table, rows).columns, ([name, column]) => [name, [...column]]));
}

describe('/forecast', () => {
  it('gives the numbers of predict, with their times, for many at once', async () => {
    const { url } = await serve([inFolder('level.safetensors'), inFolder('small.safetensors')]);
    await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const rows = 12 + 6 * i;
        const { data } = await model.predict(cut(table, rows));
        expect(await post(`${url}/forecast`, { columns: columnsOf(rows) })).toMatchObject({
          status: 200,
          json: {
            model: 'level',
            target: 'level',
            made: table.columns.get('date')?.[rows - 1],
            times: Array.from({ length: 3 }, (_, step) =>
              new Date(Date.UTC(2020, 0, 1 + rows + step)).toISOString().slice(0, 10),
            ),
            forecast: Array.from(data),
          },
        });
      }),
    );
  });

  it('gives each series with its quantiles; null stands where only what is known ahead is known', async () => {
    const rows = Array.from({ length: 106 }, (_, row) => ({ shop: row % 2 ? 'b' : 'a', day: Math.floor(row / 2) }));
    const sales = rows.map(({ shop, day }) => (shop === 'a' ? 1 : 100) * (2 + (day % 7)));
    const columns = {
      shop: rows.map(({ shop }) => shop),
      date: rows.map(({ day }) => new Date(Date.UTC(2020, 0, 1 + day)).toISOString().slice(0, 10)),
      open: rows.map(({ day }) => (day % 7 === 0 ? 0 : 1)),
      sales: sales.map((value, row) => (row < 100 ? value : null)),
    };
    const known = { source: 'shops', rows: 106 };
    const numbers = { open: Float64Array.from(columns.open), sales: Float64Array.from(sales) };
    const { model: shops } = await tasks.trainForecaster({
      table: { ...known, columns: new Map(Object.entries({ ...columns, ...numbers })) },
      target: 'sales',
      time: 'date',
      entity: 'shop',
      known: ['open'],
      quantiles: [0.1, 0.5, 0.9],
      window: 7,
      horizon: 3,
      hiddenSize: 4,
      epochs: 1,
    });
    await saveModel(inFolder('shops.safetensors'), shops);
    const { url } = await serve([inFolder('shops.safetensors')]);
    const { status, json } = await post(`${url}/forecast`, { columns });
    expect(status).toBe(200);
    const future = Float64Array.from(columns.sales, (value) => value ?? Number.NaN);
    const table = { ...known, columns: new Map(Object.entries({ ...columns, open: numbers.open, sales: future })) };
    const { data } = await shops.predictQuantiles(table);
    const answer = json as { series: { shop: string; times: string[]; forecast: number[]; quantiles: object }[] };
    expect(answer.series.map(({ shop, times }) => [shop, times])).toEqual(
      ['a', 'b'].map((shop) => [shop, ['2020-02-20', '2020-02-21', '2020-02-22']]),
    );
    for (const [i, { forecast, quantiles }] of answer.series.entries()) {
      const of = (level: number) => [0, 1, 2].map((step) => data[(i * 3 + step) * 3 + level]);
      expect(forecast).toEqual(of(1));
      expect(quantiles).toEqual({ 0.1: of(0), 0.5: of(1), 0.9: of(2) });
    }
    const gap = { ...columns, sales: columns.sales.map((value, row) => (row === 50 ? null : value)) };
    expect(await post(`${url}/forecast`, { columns: gap })).toMatchObject({
      status: 400,
      json: { error: expect.stringMatching(/row 51, column "sales": the cell is empty/) },
    });
    shops.dispose();
  });

  it('names what is wrong', async () => {
    const { url } = await serve([
      inFolder('level.safetensors'),
      `copy=${inFolder('level.safetensors')}`,
      inFolder('small.safetensors'),
    ]);
    const good = columnsOf(20);
    const level = good.level as number[];
    const cases: [object, number, RegExp][] = [
      [{}, 400, /body must have required property 'columns'/],
      [{ columns: good }, 400, /model: name one of "level", "copy"/],
      [{ model: 'small', columns: good }, 400, /"small" is not made to forecast/],
      [{ model: 'none', columns: good }, 404, /no model "none"/],
      [{ model: 'level', columns: good, last: 1 }, 400, /body must NOT have additional properties/],
      [{ model: 'level', columns: { ...good, level: 1 } }, 400, /body\/columns\/level must be array/],
      [{ model: 'level', columns: { level, date: good.date } }, 400, /columns: "other" is missing/],
      [{ model: 'level', columns: columnsOf(11) }, 400, /columns: expected at least 12 rows, got 11/],
      [{ model: 'level', columns: { ...good, other: [1, 2] } }, 400, /columns\["other"\]: expected 20 rows/],
      [
        { model: 'level', columns: { ...good, level: [...level.slice(1), null] } },
        400,
        /columns\["level"\]\[19\]: .*null/,
      ],
      [{ model: 'level', columns: { ...good, date: level } }, 400, /columns\["date"\]\[0\]: expected a string/],
      [
        { model: 'level', columns: { ...good, date: (good.date as string[]).toReversed() } },
        400,
        /columns, row 2, column "date": .*not later/,
      ],
    ];
    for (const [body, status, error] of cases) {
      expect(await post(`${url}/forecast`, body)).toMatchObject({
        status,
        json: { error: expect.stringMatching(error) },
      });
    }
    expect((await post(`${url}/forecast`, '{"columns":')).status).toBe(400);
  });

  it('is not found where no model forecasts', async () => {
    const { url } = await serve([inFolder('small.safetensors')]);
    const answer = await post(`${url}/forecast`, { columns: {} });
    expect(answer).toMatchObject({ status: 404, json: { error: 'no model here is made to forecast' } });
  });
});
