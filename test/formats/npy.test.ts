import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MemorySource } from '../../lib/formats/byte_source.js';
import { readArray } from '../../lib/formats/npy/npy.js';
import { readArrays } from '../../lib/formats/npy/npz.js';
import { readNpy, readNpz, tensor, writeNpy, writeNpz } from '../../lib/index.js';
import { cpuMilliseconds, fuzz } from './fuzz.js';
import { temporaryFolder } from './temporary_folder.js';

const path = temporaryFolder();
const file = (name: string) => fileURLToPath(new URL(`../fixtures/numpy/${name}`, import.meta.url));
const quarters = Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25);

describe('files that NumPy wrote', () => {
  it.each(['arrays.npz', 'compressed.npz'])('%s: every type and order', async (name) => {
    expect(await readNpz(file(name))).toEqual({
      float32: { shape: [2, 3], data: quarters },
      float64: { shape: [2, 3], data: quarters },
      float16: { shape: [2, 3], data: quarters },
      big: { shape: [2, 3], data: quarters },
      bigger: { shape: [2, 3], data: quarters },
      fortran: { shape: [2, 3], data: quarters },
      cube: { shape: [2, 3, 4], data: Int32Array.from({ length: 24 }, (_, i) => i) },
      int64: { shape: [6], data: Int32Array.of(-7, 993, 1993, 2993, 3993, 4993) },
      uint8: { shape: [6], data: Int32Array.of(0, 1, 2, 3, 4, 5) },
      bool: { shape: [6], data: Int32Array.of(1, 0, 1, 0, 1, 0) },
      scalar: { shape: [], data: Float32Array.of(2.5) },
      empty: { shape: [0, 3], data: new Float32Array(0) },
    });
  });

  it('.npy', async () => {
    expect(await readNpy(file('float32.npy'))).toEqual({ shape: [2, 3], data: quarters });
  });

  it.each([
    ['objects.npy', /Python objects, which only running a pickle could read/],
    ['structured.npy', /holds elements of "\[\('a'/],
    ['complex.npy', /"<c8"/],
    ['text.npy', /"<U1"/],
    ['large_integer.npy', /2147483648 \(I64\) does not fit into int32/],
    ['large_float.npy', /1e\+300 \(F64\) does not fit into float32/],
  ])('%s is refused', async (name, reason) => {
    await expect(readNpy(file(name))).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
      message: expect.stringMatching(reason),
    });
  });
});

describe('what is written is read again', () => {
  it('arrays and tensors', async () => {
    const array = { shape: [2, 3], data: quarters };
    await writeNpy(path('a.npy'), array);
    expect(await readNpy(path('a.npy'))).toEqual(array);
    // NumPy's own bytes.
    expect(readFileSync(path('a.npy'))).toEqual(readFileSync(file('float32.npy')));
    await writeNpy(path('a.npy'), tensor(Int32Array.of(1, 2)));
    expect(await readNpy(path('a.npy'))).toEqual({ shape: [2], data: Int32Array.of(1, 2) });
  });

  it.each([true, false])('archives, compressed: %s', async (compress) => {
    const arrays = {
      x: { shape: [2, 3], data: quarters },
      'größe.1': { shape: [], data: Int32Array.of(7) },
      large: { shape: [400_000], data: new Float32Array(400_000).fill(0.5) },
    };
    await writeNpz(path('a.npz'), arrays, { compress });
    expect(await readNpz(path('a.npz'))).toEqual(arrays);
    const first = readFileSync(path('a.npz'));
    await writeNpz(path('a.npz'), arrays, { compress });
    expect(readFileSync(path('a.npz')).equals(first)).toBe(true);
  });

  it('refuses wrong arguments, and leaves no file', async () => {
    const array = { shape: [1], data: Float32Array.of(1) };
    for (const name of ['../x', 'a/b', 'a\\b', 'C:x', '']) {
      await expect(writeNpz(path('none'), { [name]: array })).rejects.toThrow(RangeError);
    }
    await expect(writeNpz(path('none'), { x: { ...array, shape: [2] } })).rejects.toThrow(/arrays\["x"\].data/);
    await expect(writeNpy(path('none'), { shape: [1] } as never)).rejects.toThrow(TypeError);
    await expect(writeNpy(path('none'), null as never)).rejects.toThrow(TypeError);
    expect(readdirSync(path('.')).filter((name) => name.includes('none'))).toEqual([]);
  });
});

/** A .npy file of version 1 with this dictionary and so many bytes. */
function npy(dictionary: string, bytes = 0): Buffer {
  const start = Buffer.from('\u0093NUMPY\u0001\u0000__', 'latin1');
  start.writeUInt16LE(dictionary.length, 8);
  return Buffer.concat([start, Buffer.from(dictionary, 'latin1'), Buffer.alloc(bytes)]);
}

describe('hostile .npy files', () => {
  const header = (shape: string, descr = "'<f4'") => `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }`;

  it.each<[string, Buffer, RegExp]>([
    ['nothing', Buffer.alloc(0), /does not begin as one/],
    ['another version', Buffer.from('\u0093NUMPY\u0009\u0000\u0000\u0000\u0000\u0000', 'latin1'), /version is 9/],
    [
      'a header of 4 GiB',
      Buffer.from('\u0093NUMPY\u0002\u0000\u00ff\u00ff\u00ff\u00ff', 'latin1'),
      /header of 4294967295/,
    ],
    ['a program', npy('__import__("os").system("x")'), /no dictionary/],
    ['a program inside', npy("{'descr': __import__('os'), }"), /cannot be understood/],
    ['an attribute of something', npy(header('().__class__')), /cannot be understood/],
    ['a key twice', npy(header('(1,)').replace('fortran_order', 'descr'), 4), /"descr" twice/],
    ['a key more', npy(header("(1,), 'x': 'y'"), 4), /does not give/],
    ['a key less', npy("{'descr': '<f4', 'shape': (1,), }", 4), /does not give/],
    ['negative shape', npy(header('(-1,)')), /cannot be understood/],
    ['fractional shape', npy(header('(1.5,)')), /cannot be understood/],
    ['a gap in the shape', npy(header('(1,,2)')), /is none/],
    ['a number too large', npy(header('(99999999999999999999,)')), /too large/],
    ['a product that overflows', npy(header('(4294967296, 4294967296)')), /does not fill/],
    ['very many axes', npy(header(`(${'1,'.repeat(65)})`), 4), /is none/],
    ['bytes missing', npy(header('(2,)'), 4), /does not fill its 4 bytes/],
    ['bytes behind', npy(header('(1,)'), 8), /does not fill its 8 bytes/],
  ])('%s', async (_, bytes, reason) => {
    await expect(readArray(new MemorySource(bytes), 'x')).rejects.toMatchObject({
      code: 'ERR_FORMAT',
      message: expect.stringMatching(reason),
    });
  });
});

describe('hostile archives', () => {
  const read = (bytes: Buffer) => readArrays(new MemorySource(bytes));
  const valid = readFileSync(file('arrays.npz'));
  const refused = (bytes: Buffer, reason: RegExp) =>
    expect(read(bytes)).rejects.toMatchObject({ code: 'ERR_FORMAT', message: expect.stringMatching(reason) });
  /** Every place of a text replaced by one of the same length. */
  const replaced = (from: string, to: string) => Buffer.from(valid.toString('latin1').replaceAll(from, to), 'latin1');
  const directory = valid.indexOf('PK\u0001\u0002', 0, 'latin1');
  const changed = (position: number, value: number, size: number) => {
    const copy = Buffer.from(valid);
    copy.writeUIntLE(value, position, size);
    return copy;
  };

  it('names that lead elsewhere, names twice, other members', async () => {
    await refused(replaced('scalar.npy', '../lar.npy'), /relative path/);
    await refused(replaced('scalar.npy', '/calar.npy'), /absolute path/);
    await refused(replaced('scalar.npy', 'C:alar.npy'), /absolute path/);
    await refused(replaced('uint8.npy', 'int64.npy'), /"int64.npy" twice/);
    await refused(replaced('bool.npy', 'bool.txt'), /"bool.txt" is no array/);
  });

  it('sizes, counts and positions that lie', async () => {
    const end = valid.lastIndexOf('PK\u0005\u0006', undefined, 'latin1');
    await refused(changed(end + 10, 0xfffe, 2), /claims 65534 members; at most 16384/);
    await refused(changed(end + 16, 0x7fffffff, 4), /truncated/);
    await refused(changed(directory + 24, 0x7fffffff, 4), /unfold to more than|two sizes|size/);
    await refused(changed(directory + 20, 0x7fffffff, 4), /size/);
    await refused(changed(directory + 42, 0x7fffffff, 4), /truncated|bounds/);
    await refused(changed(directory + 8, 1, 2), /encrypted|size/);
    await refused(changed(directory + 10, 99, 2), /method 99/);
  });

  it('a bomb: 64 MiB of zeros in 65 kB, unless it is asked for', async () => {
    const before = process.memoryUsage().arrayBuffers;
    await expect(readNpz(file('zeros.npz'))).rejects.toMatchObject({
      code: 'ERR_FORMAT',
      message: expect.stringMatching(/unfold to more than 252\d+ bytes, the most that is read/),
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
    const { zeros } = await readNpz(file('zeros.npz'), { maxBytes: 2 ** 28 });
    expect(zeros?.shape).toEqual([64 << 20]);
  });

  it('members that unfold to more or less than they claim', async () => {
    const bomb = readFileSync(file('zeros.npz'));
    const at = bomb.indexOf('PK\u0001\u0002', 0, 'latin1');
    for (const claim of [1000, 20 << 20]) {
      const copy = Buffer.from(bomb);
      copy.writeUInt32LE(claim, at + 24);
      const begin = cpuMilliseconds();
      await refused(copy, /does not fill its|too many bytes in the stream/);
      expect(cpuMilliseconds() - begin).toBeLessThan(1000);
    }
  });

  it('very many members', async () => {
    const name = (index: number) => `${index}.npy`;
    const bytes: Buffer[] = [];
    for (let index = 0; index < 20_000; index++) {
      const entry = Buffer.alloc(46 + name(index).length);
      entry.write('PK\u0001\u0002', 0, 'latin1');
      entry.writeUInt16LE(name(index).length, 28);
      entry.write(name(index), 46, 'latin1');
      bytes.push(entry);
    }
    const end = (count: number) => {
      const record = Buffer.alloc(22);
      record.write('PK\u0005\u0006', 0, 'latin1');
      record.writeUInt16LE(count, 10);
      return record;
    };
    await refused(Buffer.concat([...bytes, end(20_000)]), /at most 16384/);
    const begin = cpuMilliseconds();
    await refused(Buffer.concat([...bytes.slice(0, 16_000), end(16_000)]), /zip archive/);
    expect(cpuMilliseconds() - begin).toBeLessThan(1000);
  });
});

const total = (arrays: Record<string, { data: { byteLength: number } }>) =>
  Object.values(arrays).reduce((sum, { data }) => sum + data.byteLength, 0);
fuzz('.npy', [readFileSync(file('float32.npy'))], async (bytes) => {
  return (await readArray(new MemorySource(bytes), 'x')).data.byteLength;
});
const small = ['small.npz', 'small_compressed.npz'].map((name) => readFileSync(file(name)));
fuzz('.npz', small, async (bytes) => total(await readArrays(new MemorySource(bytes))));
