import { open, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openSafetensors, writeSafetensors } from '../../lib/formats/safetensors.js';
import { temporaryFolder } from './temporary_folder.js';

const path = temporaryFolder();
const fixture = (name: string) =>
  fileURLToPath(new URL(`../fixtures/safetensors/${name}.safetensors`, import.meta.url));

describe('files of the reference implementation', () => {
  test('float32 and int32, empty and scalar tensors, Unicode names and metadata', async () => {
    const file = await openSafetensors(fixture('float32_int32'));
    expect(file.metadata).toEqual({ note: 'made by Python: "quotes", ünïcödé' });
    expect(new Set(file.entries.keys())).toEqual(new Set(['empty', 'größe', 'layers.0.weight', 'scalar', 'labels']));
    expect(file.entries.get('layers.0.weight')).toMatchObject({ dtype: 'F32', shape: [2, 3], byteLength: 24 });
    expect(file.entries.get('scalar')?.shape).toEqual([]);
    expect(await file.read('layers.0.weight')).toEqual(new Float32Array([-1, -0.75, -0.5, -0.25, 0, 0.25]));
    expect(await file.read('labels')).toEqual(new Int32Array([-7, 99_993, 199_993, 299_993, 399_993, 499_993]));
    expect(await file.read('scalar')).toEqual(new Float32Array([2.5]));
    expect(await file.read('empty')).toEqual(new Float32Array(0));
    expect(await file.read('größe')).toEqual(new Float32Array([1, 2]));
    await file.close();
  });

  test('other element types become float32 or int32', async () => {
    const file = await openSafetensors(fixture('converted'));
    const expected = {
      f64: Float32Array.from([0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3]),
      f16: new Float32Array([0, 0.5, 2 ** -24, 65504, -0, Number.POSITIVE_INFINITY]),
      bool: new Int32Array([1, 0, 1, 0, 1, 0]),
      u8: new Int32Array([250, 251, 252, 253, 254, 255]),
      i8: new Int32Array([-128, -127, -126, -125, -124, -123]),
      u16: new Int32Array([65530, 65531, 65532, 65533, 65534, 65535]),
      i16: new Int32Array([-32768, -32767, -32766, -32765, -32764, -32763]),
      u32: new Int32Array([0, 1, 2, 3, 4, 5]),
      i64: Int32Array.from([0, 1, 2, 3, 4, 5], (i) => i - 2 ** 31),
      u64: Int32Array.from([0, 1, 2, 3, 4, 5], (i) => 2 ** 31 - 6 + i),
    };
    for (const [name, values] of Object.entries(expected)) expect(await file.read(name), name).toEqual(values);
    await expect(file.read('i64_too_large')).rejects.toThrow(/"i64_too_large": 2147483648 \(I64\) does not fit/);
    await file.close();
  });

  test('bfloat16 is read, 8-bit floats are refused by name', async () => {
    const file = await openSafetensors(fixture('small_floats'));
    expect(await file.read('bf16')).toEqual(new Float32Array([1.5, -2, 0, Number.POSITIVE_INFINITY]));
    await expect(file.read('f8')).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
      message: expect.stringContaining('F8_E4M3'),
    });
    await file.close();
  });

  test('our writer gives the same bytes as the reference', async () => {
    const source = await openSafetensors(fixture('float32_int32'));
    const tensors: Parameters<typeof writeSafetensors>[1] = Object.fromEntries(
      await Promise.all(
        [...source.entries].map(async ([name, { shape }]) => [name, { data: await source.read(name), shape }]),
      ),
    );
    await source.close();
    await writeSafetensors(path('same.safetensors'), tensors, source.metadata);
    expect(await readFile(path('same.safetensors'))).toEqual(await readFile(fixture('float32_int32')));
  });
});

describe('writing and reading back', () => {
  test('bits survive, also NaN payloads, and data longer than one chunk', async () => {
    const bits = new Int32Array(1_500_000).map((_, i) => Math.imul(i, 2654435761));
    bits[0] = 0x7fc00123;
    const data = new Float32Array(bits.buffer);
    await writeSafetensors(path('bits.safetensors'), {
      big: { data, shape: [1500, 1000] },
      part: { data: bits.subarray(3, 7), shape: [2, 2] },
    });
    const file = await openSafetensors(path('bits.safetensors'));
    const read = await file.read('big');
    expect(Buffer.compare(Buffer.from(read.buffer), Buffer.from(bits.buffer))).toBe(0);
    expect(await file.read('part')).toEqual(bits.slice(3, 7));
    expect(file.metadata).toEqual({});
    expect((file.entries.get('big')?.position ?? 1) % 8).toBe(0);
    await file.close();
  });

  test('no tensors at all', async () => {
    await writeSafetensors(path('none.safetensors'), {}, { only: 'metadata' });
    const file = await openSafetensors(path('none.safetensors'));
    expect(file.entries.size).toBe(0);
    expect(file.metadata).toEqual({ only: 'metadata' });
    await file.close();
  });

  test('an old file is replaced, and nothing else is left in the folder', async () => {
    await writeSafetensors(path('twice.safetensors'), { x: { data: new Float32Array(3), shape: [3] } });
    await writeSafetensors(path('twice.safetensors'), { x: { data: new Float32Array(5), shape: [5] } });
    const file = await openSafetensors(path('twice.safetensors'));
    expect(file.entries.get('x')?.shape).toEqual([5]);
    await file.close();
    expect((await readdir(path())).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('bad arguments are refused before a file is made', async () => {
    const one = new Float32Array(1);
    const write = (tensors: unknown, metadata?: unknown) =>
      writeSafetensors(path('bad.safetensors'), tensors as never, metadata as never);
    await expect(write({ x: { data: one, shape: [2] } })).rejects.toThrow(RangeError);
    await expect(write({ x: { data: one, shape: [-1, -1] } })).rejects.toThrow(RangeError);
    await expect(write({ x: { data: [1], shape: [1] } })).rejects.toThrow(TypeError);
    await expect(write({ x: { data: one, shape: 1 } })).rejects.toThrow(TypeError);
    await expect(write({ '': { data: one, shape: [1] } })).rejects.toThrow(/is empty/);
    await expect(write({ __metadata__: { data: one, shape: [1] } })).rejects.toThrow(/is reserved/);
    await expect(write({ 'a\n': { data: one, shape: [1] } })).rejects.toThrow(/control character/);
    await expect(write({ '\ud800': { data: one, shape: [1] } })).rejects.toThrow(/Unicode/);
    await expect(write({}, { step: 3 })).rejects.toThrow(/metadata\["step"\]: expected a string, got 3/);
    expect((await readdir(path())).filter((name) => name.includes('bad'))).toEqual([]);
  });

  test('the folder is missing', async () => {
    await expect(writeSafetensors(path('nowhere/x.safetensors'), {})).rejects.toMatchObject({
      code: 'ERR_FILE',
      message: expect.stringMatching(/cannot write .*there is no folder .*nowhere/),
    });
  });
});

describe('reading', () => {
  test('unknown name, after close, missing file, folder', async () => {
    const file = await openSafetensors(fixture('float32_int32'));
    await expect(file.read('weight')).rejects.toThrow(RangeError);
    await file.close();
    await file.close();
    await expect(file.read('scalar')).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    await expect(openSafetensors(path('missing'))).rejects.toMatchObject({
      code: 'ERR_FILE',
      message: expect.stringContaining('there is no such file'),
    });
    await expect(openSafetensors(path())).rejects.toMatchObject({ code: 'ERR_FILE' });
  });

  test('a file that shrinks after it was opened', async () => {
    await writeSafetensors(path('shrinks'), { x: { data: new Float32Array(1000), shape: [1000] } });
    const file = await openSafetensors(path('shrinks'));
    await truncate(path('shrinks'), 500);
    await expect(file.read('x')).rejects.toMatchObject({ code: 'ERR_FORMAT' });
    await file.close();
  });

  test('a header that claims terabytes is refused by the size of the file', async () => {
    const json = JSON.stringify({ x: { dtype: 'F32', shape: [2 ** 40], data_offsets: [0, 2 ** 42] } });
    const bytes = Buffer.alloc(8 + json.length);
    bytes.writeBigUInt64LE(BigInt(json.length));
    bytes.write(json, 8);
    await writeFile(path('lying'), bytes);
    await expect(openSafetensors(path('lying'))).rejects.toMatchObject({
      code: 'ERR_FORMAT',
      message: expect.stringMatching(/lying: not a valid safetensors file: tensor "x" ends beyond the file/),
    });
  });

  test('a sparse file with a huge header length allocates nothing', async () => {
    const file = await open(path('sparse'), 'w');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(2n ** 33n);
    await file.write(length);
    await file.truncate(2 ** 34);
    await file.close();
    await expect(openSafetensors(path('sparse'))).rejects.toThrow(/header of 8589934592 bytes/);
  });
});
