import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { cli, inFolder, trainingWords, writeSeries } from './run_cli.js';

// Every case must end with 1, one line of reason on stderr, nothing on stdout, and no file that was not there before.
async function expectRefused(words: string[], reason: RegExp): Promise<void> {
  const before = readdirSync(inFolder('')).sort();
  const { code, stdout, stderr } = await cli(words);
  expect(stderr).toMatch(reason);
  expect(stderr).toMatch(/^error: [^\n]*\n$/);
  expect(stdout).toBe('');
  expect(code).toBe(1);
  expect(readdirSync(inFolder('')).sort()).toEqual(before);
}

beforeAll(async () => {
  writeSeries('series.csv', 200);
  const { code } = await cli(trainingWords('series.csv', 'model.safetensors', '--quiet'));
  expect(code).toBe(0);
  const lines = readFileSync(inFolder('series.csv'), 'utf8').split('\n');
  const write = (name: string, ...rows: string[]) => writeFileSync(inFolder(name), rows.join('\n'));
  write('empty.csv');
  write('header.csv', 'date,level,other');
  write('ragged.csv', ...lines.slice(0, 50), '2020-02-19,1', ...lines.slice(51));
  write('text.csv', ...lines.slice(0, 50), '2020-02-19,warm,1', ...lines.slice(51));
  write('gap.csv', ...lines.slice(0, 50), '2020-02-19,,1', ...lines.slice(51));
  write('dates.csv', ...lines.slice(0, 50), '2020-02-30,1,1', ...lines.slice(51));
  write('unsorted.csv', ...lines.slice(0, 50), '2020-01-02,1,1', ...lines.slice(51));
  write('short.csv', ...lines.slice(0, 11));
  write('few.csv', ...lines.slice(0, 20));
  writeFileSync(inFolder('binary.csv'), Buffer.from([0, 1, 2, 3, 10, 0, 1]));
});

describe('train forecast', () => {
  it.each<[string, string, RegExp]>([
    ['a missing file', 'nowhere.csv', /cannot read nowhere.csv: there is no such file/],
    ['a folder', '.', /cannot read \.: /],
    ['an empty file', 'empty.csv', /empty.csv is empty/],
    ['a header without rows', 'header.csv', /header.csv has a header but no rows/],
    ['a ragged row', 'ragged.csv', /ragged.csv, row 51: 2 cells, but the header has 3/],
    ['text in a column of numbers', 'text.csv', /text.csv, row 51, column "level": expected a number, got "warm"/],
    ['an empty cell', 'gap.csv', /gap.csv, row 51, column "level": the cell is empty/],
    [
      'a date that does not exist',
      'dates.csv',
      /dates.csv, row 51, column "date": expected a date such as 2012-01-31, got "2020-02-30"/,
    ],
    [
      'rows that are not in order',
      'unsorted.csv',
      /unsorted.csv, row 51, column "date": "2020-01-02" is not later than the row above/,
    ],
    [
      'fewer rows than a window',
      'short.csv',
      /the series has 10 rows; a window of 12 and a horizon of 3 need at least 15/,
    ],
    ['no window for one part', 'few.csv', /not one window of 12 rows with a horizon of 3 is left/],
    ['a file that is no text', 'binary.csv', /binary.csv/],
  ])('refuses %s', async (_, file, reason) => {
    await expectRefused(trainingWords(file, 'refused.safetensors', '--quiet'), reason);
  });

  it('suggests the nearest column', async () => {
    const words = trainingWords('series.csv', 'refused.safetensors', '--quiet').map((word) =>
      word === 'level' ? 'levle' : word,
    );
    await expectRefused(
      words,
      /series.csv has no column "levle" \(did you mean "level"\?\); it has "date", "level", "other"/,
    );
    const time = trainingWords('series.csv', 'refused.safetensors', '--quiet').map((word) =>
      word === 'date' ? 'dat' : word,
    );
    await expectRefused(time, /no column "dat" \(did you mean "date"\?\)/);
  });

  it('finds out before the training that it cannot write', async () => {
    await expectRefused(
      trainingWords('series.csv', 'nowhere/model.safetensors'),
      /cannot write nowhere\/model.safetensors/,
    );
    await expectRefused(
      trainingWords('series.csv', 'refused.safetensors', '--report', 'nowhere/r.html'),
      /cannot write nowhere\/r.html/,
    );
  });

  it('refuses a device that is not there, and a checkpoint that is none', async () => {
    await expectRefused(trainingWords('series.csv', 'refused.safetensors', '--quiet', '--device', 'npu'), /npu/);
    const words = trainingWords(
      'series.csv',
      'refused.safetensors',
      '--quiet',
      '--checkpoint',
      'model.safetensors',
      '--resume',
    );
    await expectRefused(words, /model.safetensors is not a training checkpoint/);
  });

  it('refuses to go on with other data or another model', async () => {
    const start = (...more: string[]) =>
      trainingWords('series.csv', 'kept.safetensors', '--quiet', '--epochs', '100000', ...more);
    let asked = false;
    await cli(
      start().filter((word) => word !== '--quiet'),
      (stderr, kill) => {
        if (asked || !stderr.includes('epoch 1/')) return;
        asked = true;
        kill('SIGINT');
      },
    );
    await expectRefused(start('--resume', '--seed', '9'), /belongs to other data or options/);
    const other = start('--resume').map((word, i, words) => (words[i - 1] === '--hidden-size' ? '7' : word));
    await expectRefused(other, /shape/);
  });
});

describe('the other commands', () => {
  it.each(['evaluate', 'predict'])('%s refuses bad data', async (command) => {
    await expectRefused([command, 'model.safetensors', '--data', 'nowhere.csv'], /there is no such file/);
    await expectRefused([command, 'model.safetensors', '--data', 'empty.csv'], /empty.csv is empty/);
    await expectRefused([command, 'model.safetensors', '--data', 'text.csv'], /row 51, column "level"/);
    await expectRefused([command, 'model.safetensors', '--data', 'short.csv', '--last', '1'], /short.csv has 10 rows/);
  });

  it.each(['evaluate', 'predict', 'info'])('%s refuses a bad model file', async (command) => {
    const data = command === 'info' ? [] : ['--data', 'series.csv'];
    const whole = readFileSync(inFolder('model.safetensors'));
    writeFileSync(inFolder('truncated.safetensors'), whole.subarray(0, whole.length - 100));
    await expectRefused(
      [command, 'nowhere.safetensors', ...data],
      /cannot read nowhere.safetensors: there is no such file/,
    );
    await expectRefused([command, 'truncated.safetensors', ...data], /truncated.safetensors/);
    await expectRefused([command, 'series.csv', ...data], /series.csv/);
  });

  it('predict refuses a folder that is not there', async () => {
    await expectRefused(
      ['predict', 'model.safetensors', '--data', 'series.csv', '--out', 'nowhere/p.csv'],
      /there is no folder nowhere/,
    );
  });
});
