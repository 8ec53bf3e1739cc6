import { readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type CsvOptions, numericColumn, numericRows, readCsv, writeCsv } from '../../lib/data/csv.js';
import { fc } from '../fast_check.js';
import { temporaryFolder } from '../formats/temporary_folder.js';

const path = temporaryFolder();

async function read(text: string | Uint8Array, options?: CsvOptions) {
  await writeFile(path('f.csv'), text);
  return readCsv(path('f.csv'), options);
}

/** The message of the ERR_DATA that reading ends with, without the folder. */
async function refusal(text: string | Uint8Array, options?: CsvOptions): Promise<string> {
  const error = await read(text, options).then(
    () => expect.unreachable('was read'),
    (error: unknown) => error,
  );
  expect(error).toMatchObject({ name: 'CudnnGruError', code: 'ERR_DATA' });
  return (error as Error).message.replace(path('f.csv'), 'f.csv');
}

describe('reading', () => {
  test('the weather of the example', async () => {
    const file = fileURLToPath(new URL('../../examples/data/seattle-weather.csv', import.meta.url));
    const table = await readCsv(file);
    expect(table.rows).toBe(1461);
    expect([...table.columns.keys()]).toEqual(['date', 'precipitation', 'temp_max', 'temp_min', 'wind', 'weather']);
    expect(numericColumn(table, 'temp_max').slice(0, 3)).toEqual(new Float64Array([12.8, 10.6, 11.7]));
    expect(table.columns.get('date')?.[1460]).toBe('2015-12-31');
    expect(numericRows(table, ['temp_min', 'wind']).slice(0, 4)).toEqual(new Float64Array([5, 4.7, 2.8, 4.5]));
  });

  test('only the columns asked for', async () => {
    const table = await read('a,b,c\n1,x,2\n3,y,4\n', { numeric: ['c'], text: ['a'] });
    expect([...table.columns]).toEqual([
      ['a', ['1', '3']],
      ['c', new Float64Array([2, 4])],
    ]);
  });

  test.each([
    ['CRLF', 'a,b\r\n1,2\r\n3,4\r\n'],
    ['no newline at the end', 'a,b\n1,2\n3,4'],
    ['empty rows at the end', 'a,b\n1,2\n3,4\n\n\n'],
    ['byte order mark', '\ufeffa,b\n1,2\n3,4\n'],
    ['byte order mark and quotes', '\ufeff"a","b"\n1,2\n3,4\n'],
    ['semicolons', 'a;b\n1;2\n3;4\n'],
    ['tabs', 'a\tb\n1\t2\n3\t4\n'],
    ['quoted', '"a","b"\n"1","2"\n"3","4"\n'],
    ['spaces', ' a , b \n 1 , 2 \n 3 , 4 \n'],
    ['other spellings', 'a,b\n+1,2.\n.3e1,40e-1\n'],
  ])('%s', async (_, text) => {
    const table = await read(text);
    expect([...table.columns]).toEqual([
      ['a', new Float64Array([1, 3])],
      ['b', new Float64Array([2, 4])],
    ]);
  });

  test('quoted cells with commas, quotes and line ends', async () => {
    const table = await read('name,x\n"a, ""b""\nc",1\n');
    expect(table.columns.get('name')).toEqual(['a, "b"\nc']);
  });

  test('one column', async () => {
    expect(numericColumn(await read('x\n1\n2\n'), 'x')).toEqual(new Float64Array([1, 2]));
  });

  test('longer than one chunk of the stream, with characters of several bytes', async () => {
    const rows = 100_000;
    const lines = Array.from({ length: rows }, (_, i) => `${i},größe €${i},${i / 8}`);
    const table = await read(`i,text,x\n${lines.join('\n')}\n`);
    expect(table.rows).toBe(rows);
    expect(numericColumn(table, 'x')).toEqual(Float64Array.from({ length: rows }, (_, i) => i / 8));
    expect(table.columns.get('text')?.every((text, i) => text === `größe €${i}`)).toBe(true);
  });
});

describe('refused with row and column, the header being row 1', () => {
  test.each<[string, string, CsvOptions | undefined, string]>([
    ['empty file', '', undefined, 'f.csv is empty'],
    ['only a line end', '\n', undefined, 'f.csv, row 1: the header is empty'],
    ['only a header', 'a,b\n', undefined, 'f.csv has a header but no rows'],
    ['not a number', 'a,b\n1,2\n3,x\n', { numeric: ['b'] }, 'f.csv, row 3, column "b": expected a number, got "x"'],
    ['no decimal number', 'a\n0x10\n', { numeric: ['a'] }, 'f.csv, row 2, column "a": expected a number, got "0x10"'],
    ['not finite', 'a\nInfinity\n', { numeric: ['a'] }, 'f.csv, row 2, column "a": expected a number, got "Infinity"'],
    ['too large', 'a\n1e999\n', { numeric: ['a'] }, 'f.csv, row 2, column "a": expected a number, got "1e999"'],
    ['missing', 'a,b\n1,2\n3,\n', { numeric: ['b'] }, 'f.csv, row 3, column "b": the cell is empty'],
    ['too few cells', 'a,b\n1,2\n3\n', undefined, 'f.csv, row 3: 1 cells, but the header has 2'],
    ['too many cells', 'a,b\n1,2\n3,4,5\n', undefined, 'f.csv, row 3: 3 cells, but the header has 2'],
    ['empty row inside', 'a,b\n1,2\n\n3,4\n', undefined, 'f.csv, row 3: the row is empty'],
    ['column twice', 'a,b,a\n1,2,3\n', undefined, 'f.csv, row 1: the header names "a" twice'],
    ['unclosed quote', 'a,b\n1,2\n"3,4\n', undefined, 'f.csv, row 3: a quoted cell is not closed properly'],
    [
      'unknown column',
      'date,temp_max\n1,2\n',
      { numeric: ['tempmax'] },
      'f.csv has no column "tempmax" (did you mean "temp_max"?); it has "date", "temp_max"',
    ],
    ['UTF-16', 'a\0,\0b\0\n\0', undefined, 'f.csv, row 1: this is not UTF-8 text'],
  ])('%s', async (_, text, options, message) => {
    expect(await refusal(text, options)).toBe(message);
  });

  test('far into a long file, and reading stops there', async () => {
    const lines = Array.from({ length: 500_000 }, (_, i) => (i === 450_000 ? '1,oops' : '1,2'));
    expect(await refusal(`a,b\n${lines.join('\n')}`, { numeric: ['b'] })).toBe(
      'f.csv, row 450002, column "b": expected a number, got "oops"',
    );
  });

  test('columns asked for after reading', async () => {
    const table = await read('date,wind\n1,2\n3,calm\n');
    expect(() => numericColumn(table, 'wind')).toThrow(/f\.csv, row 3, column "wind": expected a number, got "calm"/);
    expect(() => numericColumn(table, 'winds')).toThrow(/no column "winds" \(did you mean "wind"\?\)/);
  });

  test('files that cannot be read', async () => {
    await expect(readCsv(path('missing.csv'))).rejects.toMatchObject({ code: 'ERR_FILE' });
    await expect(readCsv(path())).rejects.toMatchObject({ code: 'ERR_FILE' });
    await expect(readCsv('')).rejects.toThrow(RangeError);
    await expect(read('a\n1\n', { numerics: ['a'] } as never)).rejects.toThrow(/did you mean "numeric"/);
  });

  test('any bytes: a table or ERR_DATA, nothing else', async () => {
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.string({ maxLength: 60 }),
      fc.stringMatching(/^[ab1",;\r\n]{0,40}$/),
    );
    await fc.assert(
      fc.asyncProperty(text, async (contents) => {
        const table = await read(contents).catch((error) => error);
        if (table instanceof Error) expect(table).toMatchObject({ code: 'ERR_DATA' });
        else expect(table.rows).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('writing', () => {
  test('numbers, float32, text that needs quotes, missing values', async () => {
    await writeCsv(
      path('out.csv'),
      new Map<string, ArrayLike<number> | ArrayLike<string>>([
        ['date', ['2015-01-01', 'a,"b"']],
        ['x', [0.1, Number.NaN]],
        ['y', new Float32Array([12.3, 1 / 3])],
      ]),
    );
    expect(await readFile(path('out.csv'), 'utf8')).toBe('date,x,y\n2015-01-01,0.1,12.3\n"a,""b""",,0.33333334\n');
  });

  test('what is written is read again, float32 to the bit', async () => {
    const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(values, async (numbers) => {
        const data = Float32Array.from(numbers, (value) => value + 0);
        await writeCsv(path('round.csv'), new Map([['x', data]]));
        expect(Float32Array.from(numericColumn(await readCsv(path('round.csv')), 'x'))).toEqual(data);
      }),
      { numRuns: 100 },
    );
  });

  test('more rows than one write', async () => {
    const data = Float64Array.from({ length: 10_000 }, (_, i) => i / 7);
    await writeCsv(path('long.csv'), new Map([['x', data]]));
    expect(numericColumn(await readCsv(path('long.csv')), 'x')).toEqual(data);
  });

  test('bad input leaves nothing behind', async () => {
    const uneven = new Map([
      ['a', [1, 2]],
      ['b', [1]],
    ]);
    await expect(writeCsv(path('bad.csv'), uneven)).rejects.toThrow(
      'columns["b"]: expected 2 values, like the first column, got [1]',
    );
    await expect(writeCsv(path('bad.csv'), new Map())).rejects.toThrow(TypeError);
    await expect(writeCsv(path('nowhere/bad.csv'), new Map([['a', [1]]]))).rejects.toMatchObject({ code: 'ERR_FILE' });
    expect((await readdir(path())).filter((name) => name.includes('bad'))).toEqual([]);
  });
});
