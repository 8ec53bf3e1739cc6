import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { parquetWriteFile } from 'hyparquet-writer';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  GRU,
  Linear,
  noGrad,
  predictFile,
  predictRows,
  readNpy,
  Sequential,
  saveModel,
  tensor,
  writeNpy,
} from '../../dist/index.js';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { item, range } from '../reference/array64.js';
import { expectSameBits, random32 } from '../suites/checks.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const inFolder = temporaryFolder();

const [time, inputSize] = [6, 3];
const model = new Sequential(
  new GRU({ inputSize, hiddenSize: 17 }),
  new Linear({ inputSize: 17, outputSize: 2 }),
).eval();

function random(seed: number, shape: number[]): Float32Array {
  return Float32Array.from(random32(seed, shape).data);
}

/** What the model makes of rows [rows, steps, inputSize] in memory. */
async function inMemory(data: Float32Array, steps = time): Promise<Float32Array> {
  const rows = data.length / steps / inputSize;
  return (await noGrad(() => model.forward(tensor(data, [rows, steps, inputSize]))).data()) as Float32Array;
}

async function jsonLines(name: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(inFolder(name), 'utf8');
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
}

async function parquetRows(name: string): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({ file: await asyncBufferFromFile(inFolder(name)) });
}

function nested(data: ArrayLike<number>, steps: number): number[][] {
  return range(steps).map((t) => Array.from(data).slice(t * inputSize, (t + 1) * inputSize));
}

describe('predictFile', () => {
  const rows = 700;
  const data = random(1, [rows, time, inputSize]);
  let expected: Float32Array;

  beforeAll(async () => {
    expected = (await inMemory(data)).slice();
    const width = time * inputSize;
    const row = (i: number) => data.subarray(i * width, (i + 1) * width);
    await writeNpy(inFolder('x.npy'), { data, shape: [rows, time, inputSize] });
    const header = range(width).map((i) => `c${i}`);
    const lines = range(rows).map((i) => row(i).join(','));
    await writeFile(inFolder('x.csv'), `${[header.join(','), ...lines].join('\r\n')}\n`);
    const records = range(rows).map((i) =>
      JSON.stringify(i % 2 ? nested(row(i), time) : { input: nested(row(i), time) }),
    );
    await writeFile(inFolder('x.jsonl'), records.join('\n'));
    parquetWriteFile({
      filename: inFolder('x.parquet'),
      columnData: header.map((name, i) => ({ name, data: data.filter((_, at) => at % width === i), type: 'FLOAT' })),
      rowGroupSize: [100, 331],
    });
    await saveModel(inFolder('model.safetensors'), model);
  });

  it.each(['npy', 'csv', 'jsonl', 'parquet'])(
    'from .%s to every kind: the bits of the model in memory, in order',
    async (kind) => {
      for (const batchSize of [undefined, 1, 50]) {
        const options = batchSize === undefined ? {} : { batchSize };
        const result = await predictFile(model, {
          input: inFolder(`x.${kind}`),
          output: inFolder('y.npy'),
          ...options,
        });
        expect(result).toMatchObject({ rows, badRows: 0, resumedAt: 0, output: inFolder('y.npy') });
        const { data: found, shape } = await readNpy(inFolder('y.npy'));
        expect(shape).toEqual([rows, time, 2]);
        expectSameBits(found, expected, `${kind}, batch size ${batchSize}`);
      }
      await predictFile(model, { input: inFolder(`x.${kind}`), output: inFolder('y.jsonl'), batchSize: 64 });
      const records = await jsonLines('y.jsonl');
      expect(records.map(({ row }) => row)).toEqual(range(rows).map((i) => i + 1));
      expectSameBits(
        Float32Array.from(records.flatMap(({ output }) => (output as number[][]).flat())),
        expected,
        'jsonl',
      );
      await predictFile(model, { input: inFolder(`x.${kind}`), output: inFolder('y.csv'), batchSize: 64 });
      const [header, ...lines] = (await readFile(inFolder('y.csv'), 'utf8')).trimEnd().split('\n') as [
        string,
        ...string[],
      ];
      expect(header.split(',').slice(0, 3)).toEqual(['row', 'output_0', 'output_1']);
      expectSameBits(Float32Array.from(lines.flatMap((line) => line.split(',').slice(1).map(Number))), expected, 'csv');
      expect(existsSync(inFolder('y.csv.progress')) || existsSync(inFolder('y.csv.partial'))).toBe(false);
      await predictFile(model, { input: inFolder(`x.${kind}`), output: inFolder('y.parquet'), batchSize: 64 });
      const written = await parquetRows('y.parquet');
      expect(written.map(({ row }) => Number(row))).toEqual(range(rows).map((i) => i + 1));
      expectSameBits(
        Float32Array.from(written.flatMap(({ output }) => (output as number[][]).flat())),
        expected,
        'parquet',
      );
    },
  );

  it('sequences of many lengths, padded: the bits of each alone, in order', async () => {
    const gru = new GRU({ inputSize, hiddenSize: 9, bidirectional: true }).eval();
    const lengths = range(300).map((i) => 1 + ((i * 7919) % 23));
    const sequences = lengths.map((length, i) => random(100 + i, [length, inputSize]));
    await writeFile(
      inFolder('many.jsonl'),
      sequences.map((x, i) => JSON.stringify(nested(x, item(lengths, i)))).join('\n'),
    );
    await predictFile(gru, { input: inFolder('many.jsonl'), output: inFolder('many_y.jsonl'), batchSize: 32 });
    const records = await jsonLines('many_y.jsonl');
    expect(records).toHaveLength(300);
    for (const [i, { output, hidden }] of records.entries()) {
      const alone = noGrad(() => gru.forward(tensor(item(sequences, i), [1, item(lengths, i), inputSize])));
      expectSameBits(
        Float32Array.from((output as number[][]).flat()),
        await alone.output.data(),
        `output of row ${i + 1}`,
      );
      expectSameBits(
        Float32Array.from((hidden as number[][]).flat()),
        await alone.hidden.data(),
        `hidden of row ${i + 1}`,
      );
    }
    await expect(
      predictFile(gru, { input: inFolder('many.jsonl'), output: inFolder('many_y.npy') }),
    ).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(/row 2: the output "output" has shape .*only \.jsonl and \.parquet/),
    });
    await predictFile(gru, { input: inFolder('many.jsonl'), output: inFolder('many_h.npy'), outputs: ['hidden'] });
    expect((await readNpy(inFolder('many_h.npy'))).shape).toEqual([300, 2, 9]);
  });

  it('a bad row stops with its number, or is listed and left out', async () => {
    const lines = (await readFile(inFolder('x.jsonl'), 'utf8')).split('\n');
    const bad = {
      5: '{"inputs": 1}',
      9: '[[1, 2], [3]]',
      300: 'nonsense',
      699: '[[1, 2, "3"]]',
      700: '[[1, 2, 1e400]]',
    };
    for (const [row, line] of Object.entries(bad)) lines[Number(row) - 1] = line;
    await writeFile(inFolder('bad.jsonl'), lines.join('\n'));
    const call = { input: inFolder('bad.jsonl'), output: inFolder('bad_y.npy'), batchSize: 32 };
    await expect(predictFile(model, call)).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(/bad\.jsonl, row 5: it has no field "input"/),
    });
    expect(existsSync(call.output)).toBe(false);
    const errorsOut = inFolder('bad_rows.jsonl');
    expect(await predictFile(model, { ...call, onError: 'skip', errorsOut })).toMatchObject({ rows: 695, badRows: 5 });
    const listed = await jsonLines('bad_rows.jsonl');
    expect(listed.map(({ row }) => row)).toEqual(Object.keys(bad).map(Number));
    expect(listed.map(({ reason }) => reason)).toEqual([
      'it has no field "input"',
      'expected numbers of shape [time, 3], got shape [2, 2]',
      'it is no JSON: "nonsense"',
      'value 3 is no number',
      'value 3 is Infinity',
    ]);
    const good = range(rows).filter((i) => !(i + 1 in bad));
    const found = (await readNpy(call.output)).data;
    expectSameBits(
      found,
      good.flatMap((i) => [...expected.subarray(i * time * 2, (i + 1) * time * 2)]),
      'the others',
    );
  });

  it.each(['npy', 'csv', 'jsonl', 'parquet'])(
    'shards of a .%s file: side by side they are the whole; again they do nothing',
    async (kind) => {
      const parts: number[] = [];
      for (const index of [1, 2, 3]) {
        const call = { input: inFolder(`x.${kind}`), output: inFolder(`s_${kind}.npy`), shard: { index, count: 3 } };
        const { output, rows: count } = await predictFile(model, call);
        expect(output).toBe(inFolder(`s_${kind}-${index}-of-3.npy`));
        parts.push(...(await readNpy(output)).data);
        const { mtimeMs } = await stat(output);
        expect(await predictFile(model, call)).toMatchObject({ rows: count, resumedAt: count, batchSize: 0 });
        expect((await stat(output)).mtimeMs).toBe(mtimeMs);
      }
      expectSameBits(parts, expected, 'side by side');
    },
  );

  it('a signal stops it; the same call goes on', async () => {
    const controller = new AbortController();
    const call = { input: inFolder('x.npy'), output: inFolder('stopped.npy'), batchSize: 32 };
    const stop = predictFile(model, { ...call, signal: controller.signal, onProgress: () => controller.abort() });
    controller.abort();
    await expect(stop).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(existsSync(call.output)).toBe(false);
    expect(await predictFile(model, call)).toMatchObject({ rows });
    expectSameBits((await readNpy(call.output)).data, expected, 'after the stop');
  });

  it('no rows; files that do not fit; wrong arguments', async () => {
    await writeNpy(inFolder('none.npy'), { data: new Float32Array(0), shape: [0, time, inputSize] });
    await predictFile(model, { input: inFolder('none.npy'), output: inFolder('none_y.npy') });
    expect((await readNpy(inFolder('none_y.npy'))).shape[0]).toBe(0);
    await writeNpy(inFolder('flat.npy'), { data, shape: [rows, time * inputSize] });
    const output = inFolder('z.npy');
    const fails = (options: object) =>
      expect(predictFile(model, { input: inFolder('x.npy'), output, ...options })).rejects;
    await fails({ input: inFolder('flat.npy') }).toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringContaining('[time, 3]'),
    });
    await fails({ input: inFolder('missing.npy') }).toMatchObject({ code: 'ERR_FILE' });
    await fails({ input: inFolder('x.txt') }).toThrow(
      'input: expected a file name that ends in .npy, .csv, .jsonl or .parquet',
    );
    await fails({ output: inFolder('no/such/folder.npy') }).toMatchObject({ code: 'ERR_FILE' });
    await fails({ outputs: ['nothing'] }).toThrow('outputs: expected names among "output"');
    await fails({ shard: { index: 4, count: 3 } }).toThrow('shard.index');
    await fails({ devices: ['cuda:99'] }).toMatchObject({ code: 'ERR_DEVICE_UNAVAILABLE' });
  });
});

describe('predictRows', () => {
  it('gives rows in order and reads no further than a slow consumer needs', async () => {
    let read = 0;
    async function* source() {
      for (; read < 100_000; read++) yield nested(random(read, [2, inputSize]), 2);
    }
    let taken = 0;
    for await (const { row, outputs } of predictRows(model, source(), { batchSize: 8 })) {
      expect(row).toBe(++taken);
      expect(outputs.output?.shape).toEqual([2, 2]);
      if (taken % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      // Three windows of eight batches are on their way at most, and a fourth is being read.
      expect(read - taken).toBeLessThanOrEqual(4 * 8 * 8);
      if (taken === 500) break;
    }
    expect(read).toBeLessThan(1000);
  });

  it('a bad row names its number', async () => {
    const rows = [[[1, 2, 3]], { data: new Float32Array(2), shape: [2] }];
    const all = async () => {
      for await (const _ of predictRows(model, rows));
    };
    await expect(all()).rejects.toThrow('rows, row 2: expected [time, 3], got 2 numbers of shape [2]');
  });
});

describe('predict --batch, as a process', () => {
  const rows = 40_000;
  const steps = 120; // some seconds of work for one thread; a process saves its progress once a second
  const big = new GRU({ inputSize: 1, hiddenSize: 128 });
  const words = (out: string) => [
    main,
    'predict',
    inFolder('big.safetensors'),
    '--batch',
    '--data',
    inFolder('big.npy'),
    '--out',
    inFolder(out),
    '--output',
    'hidden',
    '--batch-size',
    '64',
    '--threads',
    '1',
    '--json',
  ];
  let whole: Buffer;

  beforeAll(async () => {
    await saveModel(inFolder('big.safetensors'), big);
    await writeNpy(inFolder('big.npy'), { data: random(2, [rows, steps, 1]), shape: [rows, steps, 1] });
    await predictFile(big.eval(), { input: inFolder('big.npy'), output: inFolder('whole.npy'), outputs: ['hidden'] });
    whole = await readFile(inFolder('whole.npy'));
  }, 120_000);

  it.each(['npy', 'parquet'])(
    '.%s: killed twice by SIGKILL and called again: not a row is missing or there twice',
    async (kind) => {
      const name = `killed.${kind}`;
      let before = 0;
      for (let kills = 0; kills < 2; kills++) {
        const child = spawn(process.execPath, words(name), { stdio: 'ignore' });
        const ended = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
        while (child.exitCode === null) {
          const saved = await readFile(inFolder(`${name}.progress`), 'utf8').catch(() => '{"rows":0}');
          const { rows: done } = JSON.parse(saved) as { rows: number };
          if (done > before) {
            before = done;
            break;
          }
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        child.kill('SIGKILL');
        expect(await ended).toBe('SIGKILL');
        expect(existsSync(inFolder(name))).toBe(false);
      }
      expect(before).toBeLessThan(rows);
      const { stdout, stderr } = await run(words(name));
      const result = JSON.parse(stdout) as { rows: number; resumedAt: number };
      expect(result.rows).toBe(rows);
      expect(result.resumedAt).toBeGreaterThanOrEqual(before);
      expect(stderr).toContain('rows were there from an earlier run');
      if (kind === 'npy') expect((await readFile(inFolder(name))).equals(whole)).toBe(true);
      else {
        const found = await parquetRows(name);
        expect(found.map(({ row }) => Number(row))).toEqual(range(rows).map((i) => i + 1));
        const { data } = await readNpy(inFolder('whole.npy'));
        const isEqual = (numbers: number[], i: number) => numbers.every((each, at) => each === data[i * 128 + at]);
        expect(found.every(({ hidden }, i) => isEqual((hidden as number[][]).flat(), i))).toBe(true);
      }
      expect(existsSync(inFolder(`${name}.progress`)) || existsSync(inFolder(`${name}.partial`))).toBe(false);
    },
    120_000,
  );

  it('Ctrl-C ends it with code 130, and the same call goes on', async () => {
    const child = spawn(process.execPath, words('interrupted.npy'), { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
    while (child.exitCode === null && !existsSync(inFolder('interrupted.npy.progress'))) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(existsSync(inFolder('interrupted.npy'))).toBe(false);
    const { stdout } = await run(words('interrupted.npy'));
    expect((JSON.parse(stdout) as { resumedAt: number }).resumedAt).toBeGreaterThan(0);
    expect((await readFile(inFolder('interrupted.npy'))).equals(whole)).toBe(true);
  }, 120_000);

  it('a full disk: one line that says so, nothing under the output’s name, and the call goes on when there is room', async () => {
    // In units of 1 KiB: about a quarter of the output fits.
    const limited = `trap '' XFSZ; ulimit -f ${Math.floor(whole.length / 1024 / 4)}; exec "$0" "$@"`;
    const failed = await run(['-c', limited, process.execPath, ...words('full.npy')], 'bash').catch((error) => error);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('the file would be larger than the system allows');
    expect(existsSync(inFolder('full.npy'))).toBe(false);
    await run(words('full.npy'));
    expect((await readFile(inFolder('full.npy'))).equals(whole)).toBe(true);
  }, 120_000);

  it('wrong options are a usage error', async () => {
    const failed = (more: string[], without: string[] = []) =>
      run([...words('u.npy').filter((word) => !without.includes(word)), ...more]).catch((error) => error);
    expect(await failed(['--shard', '3'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--shard') });
    expect(await failed(['--on-error', 'ignore'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--on-error'),
    });
    expect(await failed([], ['--batch'])).toMatchObject({ code: 2, stderr: expect.stringContaining('needs --batch') });
  });
});

function run(args: string[], program = process.execPath): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    execFile(program, args, (error, stdout, stderr) => {
      if (error) reject(Object.assign(error, { stdout, stderr }));
      else resolve({ stdout, stderr });
    });
  });
}
