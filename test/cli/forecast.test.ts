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
    expect(stdout).toMatch(/^MAE +1 +2 +3 +all$/m);
    expect(stdout).toMatch(/^ {2}GRU( +\d+\.\d\d){4}$/m);
    expect(stdout).toMatch(/^ {2}persistence( +\d+\.\d\d){4}$/m);
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
  const long = ['--epochs', '60'];

  it('writes a checkpoint and exits with 130; --resume ends with the same bits as never stopping', async () => {
    let interrupted = false;
    const first = await cli(trainingWords('series.csv', 'stopped.safetensors', ...long), (stderr, kill) => {
      if (interrupted || !stderr.includes('epoch 3/60')) return;
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
    expect(second.stderr).not.toContain('epoch 1/60');
    expect(second.stderr).toContain('epoch 60/60');
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
