import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cli, inFolder } from './run_cli.js';

const small = ['--hidden-size', '32', '--embedding-size', '16', '--seed', '1', '--threads', '1'];

describe('generate', () => {
  const train = ['train', 'generate', '--data', 'text.txt', '--out', 'writer.safetensors', ...small];

  it('trains on a text, writes on, and says how well it knows another', async () => {
    writeFileSync(inFolder('text.txt'), 'pack my box with five dozen jugs. '.repeat(130));
    const more = ['--batch-size', '8', '--steps', '16', '--epochs', '12', '--learning-rate', '0.02'];
    const trained = await cli([...train, ...more, '--report', 'writer.html', '--json']);
    expect(trained.stderr).toContain('epoch');
    expect(trained.code).toBe(0);
    expect(JSON.parse(trained.stdout)).toMatchObject({ stopped: 'finished', model: 'writer.safetensors' });
    const report = readFileSync(inFolder('writer.html'), 'utf8');
    expect(report).toContain('Bits per character');
    expect(report).toContain('Temperature 0.8');
    const words = ['generate', 'writer.safetensors', '--prompt', 'pack my', '--temperature', '0', '--length', '14'];
    const written = await cli(words);
    expect(written).toEqual({ code: 0, stdout: 'pack my box with five\n', stderr: '' });
    expect(JSON.parse((await cli([...words, '--json'])).stdout).text).toBe(' box with five');
    const evaluated = await cli(['evaluate', 'writer.safetensors', '--data', 'text.txt', '--json']);
    expect(JSON.parse(evaluated.stdout).bitsPerCharacter).toBeLessThan(0.5);
    writeFileSync(inFolder('prompts.txt'), 'pack my\nbox\n');
    const predicted = await cli(['predict', 'writer.safetensors', '--data', 'prompts.txt', '--temperature', '0']);
    expect(predicted.stdout.split('\n')[0]).toMatch(/^pack my box with/);
  });

  it('what cannot be is answered in a line', async () => {
    const missing = await cli(['train', 'generate', '--data', 'none.txt', '--out', 'x.safetensors']);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/none\.txt/);
    writeFileSync(inFolder('binary.txt'), Buffer.from([0xff, 0xfe, 0x00]));
    const binary = await cli(['train', 'generate', '--data', 'binary.txt', '--out', 'x.safetensors']);
    expect(binary).toMatchObject({ code: 1, stdout: '' });
    expect(binary.stderr).toMatch(/UTF-8/);
    expect((await cli([...train, '--tokens', 'letters'])).code).toBe(2);
    expect((await cli(['generate', 'writer.safetensors'])).stderr).toMatch(/--prompt is missing/);
  });
});

describe('translate', () => {
  it('trains on pairs, translates, and counts errors', async () => {
    const pairs = Array.from({ length: 200 }, (_, i) => {
      const word = [...(i * 7).toString(4)];
      return `${word.join('')}\t${[...word].reverse().join(' ')}`;
    });
    writeFileSync(inFolder('pairs.tsv'), `${pairs.join('\n')}\n`);
    const tokens = ['--source-tokens', 'characters', '--target-tokens', 'whitespace'];
    const more = ['--epochs', '12', '--batch-size', '16', '--learning-rate', '0.01', '--tied', '--min-count', '2'];
    const out = ['--out', 'translator.safetensors', '--report', 'translator.html', '--quiet'];
    const trained = await cli(['train', 'translate', '--data', 'pairs.tsv', ...out, ...small, ...tokens, ...more]);
    expect(trained.code).toBe(0);
    const report = readFileSync(inFolder('translator.html'), 'utf8');
    expect(report).toContain('Attention of each token');
    expect(report).toContain('Wrong tokens');
    expect(report).toMatch(/<rect[^>]* fill-opacity="0\.\d+"/);
    const evaluated = await cli(['evaluate', 'translator.safetensors', '--data', 'pairs.tsv', '--json']);
    expect(JSON.parse(evaluated.stdout).tokenErrorRate).toBeLessThan(0.3);
    const words = ['translate', 'translator.safetensors', '--text', '1203', '--json', '--n-best', '2'];
    const { answers } = JSON.parse((await cli(words)).stdout).found[0];
    expect(answers).toHaveLength(2);
    expect(answers[0].logProbability).toBeGreaterThanOrEqual(answers[1].logProbability);
    writeFileSync(inFolder('sources.txt'), '12\n21\n');
    const predicted = await cli(['predict', 'translator.safetensors', '--data', 'sources.txt']);
    expect(predicted.stdout.trim().split('\n')).toHaveLength(2);
  });

  it('what cannot be is answered in a line', async () => {
    writeFileSync(inFolder('broken.tsv'), 'a\tb\nno tab here\n');
    const broken = await cli(['train', 'translate', '--data', 'broken.tsv', '--out', 'x.safetensors']);
    expect(broken.code).toBe(1);
    expect(broken.stderr).toMatch(/broken\.tsv: text 2 is no source and target/);
    const other = await cli(['translate', 'writer.safetensors', '--text', 'a']);
    expect(other.stderr).toMatch(/not an EncoderDecoder/);
  });
});
