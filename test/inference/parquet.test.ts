import { execFile } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { GRU, noGrad, predictFile, readNpy, tensor, writeNpy } from '../../dist/index.js';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { range } from '../reference/array64.js';
import { expectSameBits } from '../suites/checks.js';

// Files that pyarrow wrote: test/fixtures/parquet/generate.py.
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/parquet/${name}.parquet`, import.meta.url));
const value = (row: number, step: number, feature: number) => ((row * 31 + step * 7 + feature * 3) % 64) / 16 - 2;
const inFolder = temporaryFolder();
const [rows, inputSize] = [60, 3];
const model = new GRU({ inputSize, hiddenSize: 5 }).eval();

const read = async (name: string) => parquetReadObjects({ file: await asyncBufferFromFile(inFolder(name)) });
const hiddenOf = async (steps: number[][]) =>
  (await noGrad(() => model.forward(tensor([steps]))).hidden.data()) as Float32Array;
const numbers = (nested: unknown) => Float32Array.from((nested as number[][]).flat());

describe('Parquet', () => {
  it('lists in a column named as the input: lengths differ, row groups and zstd', async () => {
    await predictFile(model, { input: fixture('nested'), output: inFolder('y.parquet'), batchSize: 8 });
    const found = await read('y.parquet');
    expect(found.map(({ row }) => Number(row))).toEqual(range(rows).map((i) => i + 1));
    for (const [i, { output, hidden }] of found.entries()) {
      const steps = range(1 + (i % 5)).map((t) => range(inputSize).map((f) => value(i, t, f)));
      const { output: expected } = noGrad(() => model.forward(tensor([steps])));
      expectSameBits(numbers(output), await expected.data(), `output of row ${i + 1}`);
      expectSameBits(numbers(hidden), await hiddenOf(steps), `hidden of row ${i + 1}`);
    }
    // What was written can be read again.
    const again = { input: inFolder('y.parquet'), columns: ['output'], output: inFolder('again.jsonl') };
    expect(await predictFile(new GRU({ inputSize: 5, hiddenSize: 2 }).eval(), again)).toMatchObject({ rows });
  });

  it('columns of numbers by name: integers, booleans, nulls at the end are steps that a row has not', async () => {
    const columns = ['a0', 'b0', 'c0', 'a1', 'b1', 'c1'];
    const call = { input: fixture('flat'), columns, output: inFolder('flat.parquet'), outputs: ['hidden'] };
    await expect(predictFile(model, call)).rejects.toThrow(/flat\.parquet, row 11: "b0" is empty/);
    const errorsOut = inFolder('bad.jsonl');
    expect(await predictFile(model, { ...call, onError: 'skip', errorsOut })).toMatchObject({ rows: 59, badRows: 1 });
    expect(JSON.parse(await readFile(errorsOut, 'utf8'))).toEqual({ row: 11, reason: '"b0" is empty' });
    for (const { row, hidden } of await read('flat.parquet')) {
      const i = Number(row) - 1;
      const second = [value(i, 1, 0), i % 2 === 0 ? 1 : 0, i % 5];
      const steps = [[value(i, 0, 0), value(i, 0, 1), i % 3], ...(i % 4 === 3 ? [] : [second])];
      expectSameBits(numbers(hidden), await hiddenOf(steps), `row ${row}`);
    }
    await expect(predictFile(model, { ...call, columns: ['name', 'a0', 'b0'] })).rejects.toThrow(
      'row 1: "name": expected a number, got "name 0"',
    );
    await expect(predictFile(model, { ...call, columns: ['a0', 'bO'] })).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(/no column "bO" \(did you mean "b0"\?\)/),
    });
  });

  it('large outputs go into several row groups; a file without rows has columns', async () => {
    const data = new Float32Array(3000 * 40 * inputSize).fill(0.5);
    await writeNpy(inFolder('x.npy'), { data, shape: [3000, 40, inputSize] });
    await predictFile(model, { input: inFolder('x.npy'), output: inFolder('groups.parquet'), outputs: ['output'] });
    const metadata = await parquetMetadataAsync(await asyncBufferFromFile(inFolder('groups.parquet')));
    expect(metadata.num_rows).toBe(3000n);
    expect(metadata.row_groups.length).toBeGreaterThan(1);
    await writeNpy(inFolder('none.npy'), { data: new Float32Array(0), shape: [0, 40, inputSize] });
    await predictFile(model, { input: inFolder('none.npy'), output: inFolder('none.parquet') });
    const none = await parquetMetadataAsync(await asyncBufferFromFile(inFolder('none.parquet')));
    expect(none.num_rows).toBe(0n);
    expect(none.schema.map(({ name }) => name)).toContain('hidden');
  });

  it('files that are damaged, or none', async () => {
    const whole = await readFile(fixture('nested'));
    const fails = async (bytes: Uint8Array) => {
      await writeFile(inFolder('bad.parquet'), bytes);
      await expect(
        predictFile(model, { input: inFolder('bad.parquet'), output: inFolder('z.jsonl') }),
      ).rejects.toMatchObject({ code: 'ERR_FORMAT', message: expect.stringContaining('bad.parquet') });
    };
    await fails(Buffer.from('nothing of the kind'));
    await fails(whole.subarray(0, whole.length - 20));
    const damaged = Buffer.from(whole);
    damaged.fill(0xff, 100, 400);
    await fails(damaged);
    await expect(
      predictFile(model, { input: inFolder('missing.parquet'), output: inFolder('z.npy') }),
    ).rejects.toMatchObject({ code: 'ERR_FILE' });
  });

  it('without the library: an error with the command that installs it', async () => {
    // A copy of the package beside which nothing else is installed.
    const copy = inFolder('package');
    const root = fileURLToPath(new URL('../..', import.meta.url));
    for (const part of ['dist', 'package.json', 'build/Release', 'node_modules/node-gyp-build']) {
      await cp(join(root, part), join(copy, part), { recursive: true });
    }
    const program = `
      import { GRU, predictFile } from '${join(copy, 'dist/index.js')}';
      const model = new GRU({ inputSize: 3, hiddenSize: 5 }).eval();
      for (const [input, output] of [['${fixture('nested')}', 'y.npy'], ['${inFolder('none.npy')}', 'y.parquet']]) {
        await predictFile(model, { input, output }).catch(({ code, message }) => console.log(code, message));
      }`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      cwd: copy,
    });
    const line =
      'ERR_UNSUPPORTED Parquet files need packages that are not installed: npm install hyparquet hyparquet-compressors hyparquet-writer';
    expect(stdout.trim().split('\n')).toEqual([line, line]);
  });
});

describe('columns of CSV', () => {
  it('by name, beside columns of text in quotes; numbers in every notation', async () => {
    const cells = ['0.5', '-1e-2', '+.25', '12345678901234567', '0.1', ' 2 '];
    const lines = cells.map((cell, i) => `"Smith, ""J""",${cell},${i},\t"3.5"`);
    await writeFile(inFolder('named.csv'), `\ufeff"name",a,b,c\r\n${lines.join('\r\n')}`);
    const call = { input: inFolder('named.csv'), columns: ['c', 'a', 'b'], output: inFolder('named.npy') };
    await predictFile(model, { ...call, outputs: ['hidden'] });
    const { data } = await readNpy(inFolder('named.npy'));
    for (const [i, cell] of cells.entries()) {
      expectSameBits(data.subarray(5 * i, 5 * i + 5), await hiddenOf([[3.5, Number(cell), i]]), cell);
    }
    await writeFile(inFolder('odd.csv'), 'a,b,c\n1,0x10,3\n1,2\n1,,3\n1,2,Infinity\n1,2,3\n');
    const errorsOut = inFolder('odd.jsonl');
    await predictFile(model, { input: inFolder('odd.csv'), output: inFolder('odd.npy'), onError: 'skip', errorsOut });
    const reasons = (await readFile(errorsOut, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).reason);
    expect(reasons).toEqual([
      'cell 2: expected a number, got "0x10"',
      '2 cells, but the header has 3',
      '"b" is empty',
      'cell 3: expected a number, got "Infinity"',
    ]);
    await expect(predictFile(model, { ...call, input: inFolder('x.npy') })).rejects.toThrow(
      'columns: expected columns of',
    );
  });
});
