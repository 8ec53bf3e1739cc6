import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadSafetensors } from 'cudnn-gru';
import { beforeAll, describe, expect, it } from 'vitest';
import { cli, inFolder, trainingWords, writeSeries } from './run_cli.js';

beforeAll(async () => {
  writeSeries('series.csv', 200);
  const { code, stdout, stderr } = await cli(trainingWords('series.csv', 'model.safetensors', '--json'));
  expect(stderr).toMatch(
    /^epoch 1\/2 {2}step \d+\/\d+ {2}loss [\d.]+ {2}validation [\d.]+ {2}[\d,]+ sequences\/s {2}\d+ s left$/m,
  );
  expect(code).toBe(0);
  writeFileSync(inFolder('trained.json'), stdout);
});

async function parameters(name: string): Promise<Record<string, number[]>> {
  const tensors = await loadSafetensors(inFolder(name));
  const numbers = Object.entries(tensors).map(([key, tensor]) => [key, Array.from(tensor.dataSync())] as const);
  for (const tensor of Object.values(tensors)) tensor.dispose();
  return Object.fromEntries(numbers);
}

describe('train forecast', () => {
  it('--json gives the training and the errors of the test rows beside baselines', () => {
    const result = JSON.parse(readFileSync(inFolder('trained.json'), 'utf8'));
    expect(result).toMatchObject({ model: 'model.safetensors', stopped: 'finished' });
    expect(result.history).toHaveLength(2);
    expect(result.evaluation.errors.mae).toHaveLength(3);
    expect(result.evaluation.baselines.persistence.mae).toHaveLength(3);
  });

  it('leaves the model and nothing else', () => {
    expect(readdirSync(inFolder('')).sort()).toEqual(['model.safetensors', 'series.csv', 'trained.json']);
  });

  it('gives the same parameters for the same seed, and others for another', async () => {
    expect((await cli(trainingWords('series.csv', 'same.safetensors', '--quiet'))).stderr).toBe('');
    await cli(trainingWords('series.csv', 'other.safetensors', '--quiet', '--seed', '5'));
    expect(await parameters('same.safetensors')).toEqual(await parameters('model.safetensors'));
    expect(await parameters('other.safetensors')).not.toEqual(await parameters('model.safetensors'));
  });

  it('prints tables as text', async () => {
    const { stdout } = await cli(trainingWords('series.csv', 'text.safetensors', '--quiet'));
    expect(stdout).toMatch(/^all steps +MAE +RMSE +MASE +sMAPE$/m);
    expect(stdout).toMatch(/^ {2}GRU( +\d+\.\d+){3} +\d+\.\d\d%$/m);
    expect(stdout).toMatch(/^MAE, rows ahead +1 +2 +3$/m);
    expect(stdout).toMatch(/^ {2}Holt( +\d+\.\d+){3}$/m);
    expect(stdout).toContain('model: text.safetensors');
  });

  it('writes a report', async () => {
    const { code } = await cli(
      trainingWords('series.csv', 'reported.safetensors', '--quiet', '--report', 'report.html'),
    );
    expect(code).toBe(0);
    expect(readFileSync(inFolder('report.html'), 'utf8')).toMatch(/^<!doctype html>/i);
  });
});

describe('interrupting', () => {
  const long = ['--epochs', '200'];

  it('writes a checkpoint and exits with 130; --resume ends with the same bits as never stopping', async () => {
    let interrupted = false;
    const first = await cli(trainingWords('series.csv', 'stopped.safetensors', ...long), (stderr, kill) => {
      if (interrupted || !stderr.includes('epoch 3/200')) return;
      interrupted = true;
      kill('SIGINT');
    });
    expect(first.code).toBe(130);
    expect(first.stdout).toBe('');
    expect(first.stderr).toMatch(
      /interrupted at step \d+; the checkpoint is stopped.checkpoint.safetensors: go on with --resume\n$/,
    );
    expect(existsSync(inFolder('stopped.safetensors'))).toBe(false);

    const second = await cli(trainingWords('series.csv', 'stopped.safetensors', ...long, '--resume'));
    expect(second.code).toBe(0);
    expect(second.stderr).not.toContain('epoch 1/200');
    expect(second.stderr).toContain('epoch 200/200');
    expect(existsSync(inFolder('stopped.checkpoint.safetensors'))).toBe(false);

    await cli(trainingWords('series.csv', 'whole.safetensors', ...long, '--quiet'));
    expect(await parameters('stopped.safetensors')).toEqual(await parameters('whole.safetensors'));
  });

  it('--resume without a checkpoint is an error', async () => {
    const { code, stderr } = await cli(trainingWords('series.csv', 'never.safetensors', '--quiet', '--resume'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: cannot read never.checkpoint.safetensors: there is no such file\n$/);
  });
});

describe('evaluate', () => {
  it('forecasts the rows later than the training data, with the errors that training gave', async () => {
    const { code, stdout } = await cli(['evaluate', 'model.safetensors', '--data', 'series.csv', '--json']);
    expect(code).toBe(0);
    const trained = JSON.parse(readFileSync(inFolder('trained.json'), 'utf8'));
    expect(JSON.parse(stdout).errors).toEqual(trained.evaluation.errors);
    expect(JSON.parse(stdout).baselines).toEqual(trained.evaluation.baselines);
  });

  it('--last chooses the rows, --out writes forecasts beside the truth', async () => {
    const words = ['evaluate', 'model.safetensors', '--data', 'series.csv', '--last', '5', '--out', 'evaluated.csv'];
    const { code, stdout, stderr } = await cli(words);
    expect(code).toBe(0);
    expect(stderr).toBe('forecasts: evaluated.csv\n');
    expect(stdout).toContain('level: 3 forecasts of 3 rows');
    const lines = readFileSync(inFolder('evaluated.csv'), 'utf8').trimEnd().split('\n');
    expect(lines[0]).toBe('made,step,date,level_forecast,level');
    expect(lines).toHaveLength(1 + 9);
    const truth = readFileSync(inFolder('series.csv'), 'utf8').trimEnd().split('\n').at(-1)?.split(',');
    const last = lines.at(-1)?.split(',');
    expect([last?.[1], last?.[2], last?.[4]]).toEqual(['3', truth?.[0], String(Number(truth?.[1]))]);
  });

  it('says when the file holds nothing later than the training data', async () => {
    writeSeries('early.csv', 60);
    const { code, stderr } = await cli(['evaluate', 'model.safetensors', '--data', 'early.csv']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: early.csv has no row later than "2020-06-08", [^\n]*\n$/);
  });
});

describe('predict', () => {
  it('forecasts the rows behind the end, on stdout or into a file', async () => {
    const shown = await cli(['predict', 'model.safetensors', '--data', 'series.csv', '--json']);
    expect(shown.code).toBe(0);
    const forecast = JSON.parse(shown.stdout);
    // The series has 200 days from 2020-01-01 on.
    expect(forecast).toMatchObject({
      horizon: 3,
      made: Array(3).fill('2020-07-18'),
      date: ['2020-07-19', '2020-07-20', '2020-07-21'],
    });

    const written = await cli(['predict', 'model.safetensors', '--data', 'series.csv', '--out', 'p.csv', '--quiet']);
    expect(written).toEqual({ code: 0, stdout: '', stderr: '' });
    const lines = readFileSync(inFolder('p.csv'), 'utf8').trimEnd().split('\n');
    expect(lines[0]).toBe('made,step,date,level_forecast');
    const forecasts = lines.slice(1).map((line) => Math.fround(Number(line.split(',')[3])));
    expect(forecasts).toEqual(forecast.level_forecast);
  });

  it('--last gives one forecast for each of the last rows', async () => {
    const { stdout } = await cli(['predict', 'model.safetensors', '--data', 'series.csv', '--last', '2']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(1 + 2 * 3);
    expect(lines[1]).toMatch(/^2020-07-17 +1 +2020-07-18 +-?\d+\.\d{3}$/);
    expect(lines[4]).toMatch(/^2020-07-18 +1 +2020-07-19 /);
  });
});

describe('several series, quantiles, known columns', () => {
  const words = (out: string, ...more: string[]) => [
    ...['train', 'forecast', '--data', 'shops.csv', '--target', 'sales', '--time', 'day', '--entity', 'shop'],
    ...['--known', 'open', '--seasons', '7', '--quantiles', '0.1,0.5,0.9', '--window', '14', '--horizon', '3'],
    ...['--hidden-size', '6', '--layers', '1', '--epochs', '2', '--out', out, ...more],
  ];

  beforeAll(() => {
    const lines = ['day,shop,sales,open'];
    for (let day = 0; day < 100; day++) {
      for (const [shop, level] of [
        ['north', 10],
        ['south', 500],
      ] as const) {
        const date = new Date(Date.UTC(2021, 0, 1 + day)).toISOString().slice(0, 10);
        const sales = day < 96 ? String(level * (1 + (day % 7) / 7 + ((day * 7919) % 13) / 100)) : '';
        lines.push(`${date},${shop},${sales},${day % 7 === 0 ? 0 : 1}`);
      }
    }
    writeFileSync(inFolder('shops.csv'), `${lines.join('\n')}\n`);
  });

  it('trains, backtests, evaluates and forecasts', async () => {
    const trained = await cli(
      words('shops.safetensors', '--quiet', '--test', '12', '--folds', '2', '--report', 'shops.html'),
    );
    expect(trained).toMatchObject({ code: 0, stderr: '' });
    expect(trained.stdout).toMatch(/^all steps +MAE +RMSE +MASE +sMAPE +CRPS +in 80% +width$/m);
    expect(trained.stdout).toMatch(/^ {2}Holt-Winters 7 /m);
    expect(trained.stdout).toMatch(/^MAE until +2021-03-13 +2021-03-25 +all +MASE +CRPS +covered$/m);
    expect(readFileSync(inFolder('shops.html'), 'utf8')).toContain('Are the quantiles true?');
    const evaluated = await cli(['evaluate', 'shops.safetensors', '--data', 'shops.csv', '--json']);
    expect(JSON.parse(evaluated.stdout)).toMatchObject({
      forecasts: 20,
      errors: { quantiles: { below: expect.any(Array) } },
    });
    const { stdout } = await cli(['predict', 'shops.safetensors', '--data', 'shops.csv', '--json']);
    const forecast = JSON.parse(stdout);
    expect(forecast).toMatchObject({
      shop: ['north', 'north', 'north', 'south', 'south', 'south'],
      day: ['2021-04-07', '2021-04-08', '2021-04-09', '2021-04-07', '2021-04-08', '2021-04-09'],
    });
    for (const [i, low] of forecast['sales_q0.1'].entries()) expect(low).toBeLessThanOrEqual(forecast['sales_q0.9'][i]);
    expect(forecast.sales_forecast[3]).toBeGreaterThan(10 * forecast.sales_forecast[0]);
    // Four rows are known ahead. The model's own three are forecast at once, four recursively; of five one is not known.
    const four = await cli(['predict', 'shops.safetensors', '--data', 'shops.csv', '--horizon', '4', '--json']);
    expect(JSON.parse(four.stdout).sales_forecast).toHaveLength(8);
    const five = await cli(['predict', 'shops.safetensors', '--data', 'shops.csv', '--horizon', '5']);
    expect(five).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/the 5 rows to forecast must be in the table/),
    });
  });

  it('says what is wrong', async () => {
    expect(await cli(words('x.safetensors', '--quiet', '--seasons', 'week'))).toMatchObject({ code: 2 });
    const wrong = (...more: string[]) =>
      cli([
        ...words('x.safetensors', '--quiet').filter((word) => word !== '--quantiles' && word !== '0.1,0.5,0.9'),
        ...more,
      ]);
    expect(await wrong('--quantiles', '0.1,0.9')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/quantiles: expected levels with 0.5 among them/),
    });
  });
});

describe('info', () => {
  it('--json gives architecture, preprocessing, summary and tensors', async () => {
    const { code, stdout } = await cli(['info', 'model.safetensors', '--json']);
    expect(code).toBe(0);
    const found = JSON.parse(stdout);
    expect(found.architecture).toMatchObject({
      type: 'Forecaster',
      options: { inputSize: 4, hiddenSize: 6, horizon: 3 },
    });
    expect(found.preprocessing).toMatchObject({
      target: 'level',
      inputs: ['level', 'other'],
      calendar: ['year'],
      window: 12,
    });
    expect(found.summary).toMatchObject({ data: 'series.csv', seed: 0, epochs: 2 });
    const counted = Object.values(await parameters('model.safetensors')).reduce((sum, { length }) => sum + length, 0);
    expect(found.parameters).toBe(counted);
  });

  it('prints the same as text', async () => {
    const { code, stdout } = await cli(['info', 'model.safetensors']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}type: Forecaster$/m);
    expect(stdout).toMatch(/gru\.weight_ih_l0 +F32 +\[18, 4\]/);
  });
});
