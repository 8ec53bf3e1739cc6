import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cli } from './run_cli.js';

const version = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;

describe('help', () => {
  it('lists the commands and an example', async () => {
    const { code, stdout, stderr } = await cli(['--help']);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    for (const command of ['train', 'evaluate', 'predict', 'serve', 'info', 'doctor'])
      expect(stdout).toContain(`\n  ${command}`);
    expect(stdout).toContain('Examples:\n  $ cudnn-gru train forecast');
  });

  it.each(['train', 'evaluate', 'predict', 'info', 'doctor'])(
    '%s --help describes the command with an example',
    async (command) => {
      const { code, stdout, stderr } = await cli([command, '--help']);
      expect(code).toBe(0);
      expect(stderr).toBe('');
      expect(stdout).toContain(`$ cudnn-gru ${command}`);
      expect(stdout).toMatch(/Examples:\n {2}\$ cudnn-gru /);
      expect(stdout).toContain('--json');
    },
  );

  it('serve --help names its limits', async () => {
    const { code, stdout } = await cli(['serve', '--help']);
    expect(code).toBe(0);
    for (const option of ['--max-batch', '--max-queue', '--timeout', '--token-file']) expect(stdout).toContain(option);
  });

  it('--version prints the version of the package', async () => {
    const { code, stdout } = await cli(['--version']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^cudnn-gru/${version.replaceAll('.', '\\.')} `));
  });
});

describe('a wrong command line ends with 2 and one line that says why', () => {
  const train = ['train', 'forecast'];
  const whole = [...train, '--data', 'a.csv', '--target', 'level', '--out', 'm.safetensors'];
  it.each<[string, string[], RegExp]>([
    ['no command', [], /no command is given; see cudnn-gru --help/],
    ['an unknown command', ['evalute', 'x'], /unknown command "evalute" \(did you mean "evaluate"\?\)/],
    ['an unknown option', [...whole, '--windw', '3'], /Unknown option `--windw`.*see cudnn-gru train --help/],
    ['a missing option', [...train, '--target', 'level', '--out', 'm'], /--data is missing/],
    ['a missing value', [...whole, '--epochs'], /option `--epochs <n>` value is missing/],
    ['an empty value', [...train, '--data', '', '--target', 'level', '--out', 'm'], /--data: the value is empty/],
    ['an option given twice', [...whole, '--seed', '1', '--seed', '2'], /--seed is given more than once/],
    ['text for a number', [...whole, '--epochs', 'many'], /--epochs: expected a number, got "many"/],
    ['a fraction for an integer', [...whole, '--epochs', '1.5'], /--epochs: expected an integer >= 1, got 1.5/],
    ['a number out of range', [...whole, '--hidden-size', '0'], /--hidden-size: expected an integer >= 1, got 0/],
    ['a share that is none', [...whole, '--test', '1.5'], /--test: expected a number of rows or a share below 1/],
    ['a gap in a list', [...whole, '--inputs', 'a,,b'], /--inputs: a name between two commas is missing/],
    [
      'an unknown cycle',
      [...whole, '--time', 'date', '--calendar', 'yaer'],
      /unknown cycle "yaer" \(did you mean "year"\?\)/,
    ],
    ['a calendar without time', [...whole, '--calendar', 'year'], /--calendar needs --time/],
    [
      'the model over the data',
      [...train, '--data', 'a', '--target', 'x', '--out', './a'],
      /--data and --out are the same/,
    ],
    ['an unknown task', ['train', 'forcast'], /unknown task "forcast" \(did you mean "forecast"\?\)/],
    ['an unknown task with options', ['train', '--data', 'a', 'forcast'], /unknown task "forcast"/],
    ['options before the task', ['train', '--data', 'a.csv', 'forecast'], /--target is missing/],
    ['a missing argument', ['evaluate'], /missing required args/],
    ['no model to serve', ['serve'], /missing required args/],
    ['two models of one name', ['serve', 'a/m.safetensors', 'b/m.safetensors'], /two models are named "m"/],
    ['a port that is none', ['serve', 'm.safetensors', '--port', '70000'], /--port: expected an integer/],
    ['too many arguments', ['info', 'a', 'b'], /Unused args: `b`/],
  ])('%s', async (_, words, reason) => {
    const { code, stdout, stderr } = await cli(words);
    expect(stderr).toMatch(reason);
    expect(stderr).toMatch(/^error: [^\n]*\n$/);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

describe('doctor', () => {
  it('--json gives platform, versions and devices with reasons', async () => {
    const { code, stdout } = await cli(['doctor', '--json']);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      package: version,
      node: process.versions.node,
      platform: process.platform,
      error: null,
    });
    expect(report.threads).toBeGreaterThanOrEqual(1);
    expect(report.addon).toMatch(/\.node$/);
    const cpu = report.devices.find(({ name }: { name: string }) => name === 'cpu');
    expect(cpu).toMatchObject({ available: true, description: expect.stringMatching(/avx2|avx512|baseline|neon/i) });
    for (const device of report.devices) expect(device.available || device.reason).toBeTruthy();
  });

  it('--tune shows what was chosen on each GPU, or that there is none', async () => {
    const { code, stdout } = await cli(['doctor', '--tune']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^(Nothing to tune: no GPU can be used here|GRU calls and how they are computed:)/m);
  });

  it('says the same as text', async () => {
    const { code, stdout } = await cli(['doctor']);
    expect(code).toBe(0);
    expect(stdout).toContain(`cudnn-gru ${version}`);
    expect(stdout).toMatch(/^threads: +\d+$/m);
    expect(stdout).toMatch(/^cpu: /m);
  });
});
