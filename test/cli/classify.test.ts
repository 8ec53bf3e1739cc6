import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { cli, inFolder } from './run_cli.js';

// Machines that report every day; those of an odd number hum before they fail on a day of their own.
beforeAll(async () => {
  const lines = ['machine,day,hum,kind,failed,group'];
  for (let machine = 0; machine < 30; machine++) {
    for (let day = 0; day < 60; day++) {
      const failing = machine % 2 === 1 && day % 20 === 19;
      const hum = machine % 2 === 1 && day % 20 >= 14 ? 3 : ((machine * 7 + day * 13) % 10) / 10;
      lines.push(
        `m${machine},${day},${hum},${day % 3 ? 'report' : 'check'},${Number(failing)},${machine % 2 ? 'old' : 'new'}`,
      );
    }
  }
  writeFileSync(inFolder('machines.csv'), `${lines.join('\n')}\n`);
});

const columns = ['--data', 'machines.csv', '--entity', 'machine', '--time', 'day', '--features', 'hum,kind'];
const small = ['--hidden-size', '8', '--window', '12', '--learning-rate', '0.01', '--quiet'];
const train = (...words: string[]) => cli(['train', 'classify', ...columns, ...small, ...words]);

describe('train classify', () => {
  it('foretells failures, reports, evaluates and predicts', async () => {
    const trained = await train(
      '--label',
      'failed',
      '--horizon',
      '5',
      '--every',
      '2',
      '--epochs',
      '6',
      '--balanced',
      '--out',
      'failures.safetensors',
      '--report',
      'failures.html',
      '--json',
    );
    expect(trained.stderr).toBe('');
    const { evaluation, stopped } = JSON.parse(trained.stdout);
    expect(stopped).toBe('finished');
    expect(evaluation.rocAuc).toBeGreaterThan(0.9);
    expect(evaluation.probabilities).toBeUndefined();
    expect(readFileSync(inFolder('failures.html'), 'utf8')).toContain('Confusion matrix');

    const evaluated = await cli(['evaluate', 'failures.safetensors', '--data', 'machines.csv', '--after', '40']);
    expect(evaluated.stdout).toMatch(/accuracy +[\d.]+ % \(always the most frequent class: [\d.]+ %\)/);
    expect(evaluated.stdout).toContain('label (rows) taken for (columns)');

    const predicted = await cli(['predict', 'failures.safetensors', '--data', 'machines.csv', '--out', 'answers.csv']);
    expect(predicted.stderr).toBe('answers: answers.csv\n');
    const answers = readFileSync(inFolder('answers.csv'), 'utf8').trim().split(/\r?\n/);
    expect(answers[0]).toBe('entity,class,p(no failed),p(failed)');
    expect(answers).toHaveLength(31);
  });

  it('tells the class of whole logs, as text and as JSON', async () => {
    const { stdout } = await train('--label', 'group', '--epochs', '12', '--out', 'groups.safetensors');
    expect(stdout).toMatch(/^ {2}class +precision +recall +F1 +examples$/m);
    expect(stdout).toContain('model: groups.safetensors');
    const { stdout: json } = await cli(['predict', 'groups.safetensors', '--data', 'machines.csv', '--json']);
    expect(Object.keys(JSON.parse(json))).toEqual(['model', 'data', 'entity', 'class', 'p(new)', 'p(old)']);
  });

  it('says what is wrong in one line', async () => {
    const noLabel = await train('--out', 'x.safetensors');
    expect(noLabel).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: label: expected [^\n]+\n$/) });
    const column = await train('--label', 'grop', '--out', 'x.safetensors');
    expect(column.stderr).toMatch(/no column "grop" \(did you mean "group"\?\)/);
    const foreign = await cli(['predict', 'groups.safetensors', '--data', 'machines.csv', '--last', '3']);
    expect(foreign).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--last is not for a model of the task "classify"/),
    });
  });
});

describe('train classify, texts', () => {
  const rows = Array.from({ length: 150 }, (_, i) => ({
    review: `${['The film', 'A "soup", hot,', 'This phone'][i % 3]} ${i % 2 ? 'was a joy' : 'broke'} ${'really '.repeat(i % 4)}`,
    stars: i % 2 ? 5 : 1,
  }));
  const learn = (file: string, ...words: string[]) =>
    cli([
      ...['train', 'classify', '--data', file, '--text', 'review', '--label', 'stars', '--out', 'stars.safetensors'],
      ...['--hidden-size', '8', '--embedding-size', '8', '--learning-rate', '0.03', '--epochs', '20', '--quiet'],
      ...words,
    ]);

  it('from CSV and from JSON Lines: reports, evaluates and predicts', async () => {
    const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const lines = rows.map(({ review, stars }) => `${stars},${cell(review)}`);
    writeFileSync(inFolder('reviews.csv'), `stars,review\n${lines.join('\n')}\n`);
    writeFileSync(inFolder('reviews.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
    const options = ['--pooling', 'meanMax', '--embedding-dropout', '0.1', '--report', 'stars.html', '--json'];
    const trained = await learn('reviews.jsonl', ...options);
    expect(trained.stderr).toBe('');
    expect(JSON.parse(trained.stdout).evaluation.scores.accuracy).toBeGreaterThan(0.9);
    const report = readFileSync(inFolder('stars.html'), 'utf8');
    expect(report).toContain('Confusion matrix');
    expect(report).toContain('Reliability');
    // The cells are shaded, each as its share of the row.
    expect(report).toMatch(/<rect[^>]* fill-opacity="[01]/);
    expect(report).not.toContain('rgb(0, 0, 0)');

    // The same rows, whatever the file.
    const json = (file: string) => cli(['evaluate', 'stars.safetensors', '--data', file, '--json']);
    const [one, two] = [await json('reviews.jsonl'), await json('reviews.csv')].map(({ stdout }) => JSON.parse(stdout));
    expect({ ...one, data: '' }).toEqual({ ...two, data: '' });

    writeFileSync(inFolder('new.txt'), 'The soup was a joy\n\nThis phone broke\n');
    const predicted = await cli(['predict', 'stars.safetensors', '--data', 'new.txt']);
    expect(predicted.stdout).toMatch(/^text +class +p\(1\) +p\(5\)\nThe soup was a joy +5 .+\nThis phone broke +1 /);
    await cli(['predict', 'stars.safetensors', '--data', 'reviews.csv', '--out', 'stars.csv']);
    expect(readFileSync(inFolder('stars.csv'), 'utf8').split('\n')[2]).toMatch(
      /^"A ""soup"", hot, was a joy really ",5,/,
    );
  });

  it('says what is wrong in one line', async () => {
    expect(await learn('reviews.csv', '--entity', 'review')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--entity is not for texts/),
    });
    expect((await learn('reviews.csv', '--pooling', 'sum')).stderr).toMatch(
      /^error: pooling: expected one of [^\n]+\n$/,
    );
    const column = await cli(['predict', 'stars.safetensors', '--data', 'reviews.csv', '--text', 'reviw']);
    expect(column.stderr).toMatch(/no column "reviw" \(did you mean "review"\?\)/);
    const after = await cli(['evaluate', 'stars.safetensors', '--data', 'reviews.csv', '--after', '3']);
    expect(after).toMatchObject({ code: 2, stderr: expect.stringMatching(/--after is not for texts/) });
  });
});

describe('train detect', () => {
  const detect = (...words: string[]) =>
    cli([
      'train',
      'detect',
      '--data',
      'machines.csv',
      '--inputs',
      'hum',
      '--entity',
      'machine',
      '--window',
      '8',
      '--hidden-size',
      '6',
      '--epochs',
      '2',
      '--quiet',
      ...words,
    ]);

  it('learns, reports, evaluates and predicts', async () => {
    const { stdout, stderr, code } = await detect(
      '--label',
      'failed',
      '--out',
      'normal.safetensors',
      '--report',
      'normal.html',
    );
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toMatch(/^a row is an alarm when its score is above [\d.]+$/m);
    expect(readFileSync(inFolder('normal.html'), 'utf8')).toContain('The score of each row');

    const evaluated = await cli(['evaluate', 'normal.safetensors', '--data', 'machines.csv', '--label', 'failed']);
    expect(evaluated.stdout).toMatch(/^1800 rows, 2\.50 % of them anomalous$/m);
    expect(evaluated.stdout).toMatch(/^ {2}z-score +[\d.]+ +[\d.]+$/m);
    expect(evaluated.stdout).toMatch(/\d+ of 45 events found; \d+ of \d+ alarms false/);

    const predicted = await cli(['predict', 'normal.safetensors', '--data', 'machines.csv', '--json']);
    const { row, score, alarm, alarms } = JSON.parse(predicted.stdout);
    expect([row.length, score.length, alarm.length]).toEqual([1800, 1800, 1800]);
    expect(alarms).toBe(alarm.reduce((sum: number, one: number) => sum + one, 0));
  });

  it('says what is wrong in one line', async () => {
    expect((await detect('--method', 'guess', '--out', 'x.safetensors')).stderr).toMatch(
      /^error: method: expected one of [^\n]+\n$/,
    );
    const { stderr, code } = await cli(['train', 'detect', '--data', 'machines.csv', '--out', 'x.safetensors']);
    expect({ stderr, code }).toEqual({ stderr: expect.stringMatching(/--inputs is missing/), code: 2 });
  });
});
