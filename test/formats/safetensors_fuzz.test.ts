import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { CudnnGruError } from '../../lib/errors.js';
import { MemorySource, readElements } from '../../lib/formats/byte_source.js';
import { BITS } from '../../lib/formats/element_types.js';
import { openSafetensors } from '../../lib/formats/safetensors.js';
import { parseHeader, parseHeaderLength } from '../../lib/formats/safetensors_header.js';
import { fc } from '../fast_check.js';
import { fuzz, limit, runs } from './fuzz.js';
import { temporaryFolder } from './temporary_folder.js';

const path = temporaryFolder();
const valid = readFile(fileURLToPath(new URL('../fixtures/safetensors/float32_int32.safetensors', import.meta.url)));

/** The whole file of a header and `dataBytes` zeros behind it. */
function withHeader(header: unknown, dataBytes: number): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
}

/** What opening would do, without a file: 'valid', or the reason of an ERR_FORMAT. Anything else is thrown on. */
function outcome(bytes: Uint8Array): string {
  try {
    const length = parseHeaderLength(bytes.subarray(0, 8), bytes.length);
    const { entries } = parseHeader(bytes.subarray(8, 8 + length), bytes.length);
    // Whatever was accepted lies inside the file and fits its shape.
    for (const { position, byteLength, shape } of entries.values()) {
      expect(position).toBeGreaterThanOrEqual(8 + length);
      expect(position + byteLength).toBeLessThanOrEqual(bytes.length);
      expect(shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0)).toBe(true);
    }
    return 'valid';
  } catch (error) {
    if (error instanceof CudnnGruError && error.code === 'ERR_FORMAT') return error.message;
    throw error;
  }
}

const tensor = (begin: number, end: number, shape: unknown = [(end - begin) / 4], dtype: unknown = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe('every lie is refused with its reason', () => {
  test.each<[string, Buffer, RegExp]>([
    ['empty file', Buffer.alloc(0), /it has 0 bytes/],
    ['seven bytes', Buffer.alloc(7), /it has 7 bytes/],
    ['no header', Buffer.alloc(8), /header of 0 bytes/],
    ['huge header', Buffer.from('ffffffffffffffff7b7d', 'hex'), /18446744073709551615 bytes; at most 20000000/],
    ['header beyond the file', Buffer.from('10000000000000007b7d', 'hex'), /truncated/],
    ['not an object', withHeader('[]', 0), /does not start with/],
    ['space before', withHeader(' {}', 0), /does not start with/],
    ['byte order mark', withHeader('\ufeff{}', 0), /does not start with/],
    ['no JSON', withHeader('{"a":}', 0), /not JSON/],
    ['behind the JSON', withHeader('{}{}', 0), /not JSON/],
    ['broken UTF-8', withHeader('{"a": "@"}', 0).fill(0xff, 15, 16), /not JSON/],
    ['deeply nested', withHeader(`{"a":${'['.repeat(200_000)}`, 0), /nests more than 3/],
    ['tensor twice', withHeader('{"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"x":{}}', 4), /"x" twice/],
    ['escaped twice', withHeader('{"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"\\u0078":1}', 4), /"x" twice/],
    ['dtype twice', withHeader('{"x":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}}', 4), /twice/],
    ['metadata not strings', withHeader({ __metadata__: { a: 1 } }, 0), /not an object of strings/],
    ['metadata a list', withHeader({ __metadata__: ['a'] }, 0), /not an object of strings/],
    ['metadata null', withHeader({ __metadata__: null }, 0), /not an object of strings/],
    ['entry null', withHeader({ x: null }, 0), /not described by an object/],
    ['entry without fields', withHeader({ x: {} }, 0), /unknown dtype undefined/],
    ['unknown dtype', withHeader({ x: tensor(0, 4, [1], 'F33') }, 4), /unknown dtype "F33"/],
    ['inherited dtype', withHeader({ x: tensor(0, 4, [1], 'toString') }, 4), /unknown dtype "toString"/],
    ['negative shape', withHeader({ x: tensor(0, 4, [-1]) }, 4), /no valid shape/],
    ['fractional shape', withHeader({ x: tensor(0, 4, [0.5, 2]) }, 4), /no valid shape/],
    ['shape no list', withHeader({ x: tensor(0, 4, 1) }, 4), /no valid shape/],
    ['one offset', withHeader({ x: { ...tensor(0, 4), data_offsets: [4] } }, 4), /no valid data_offsets/],
    ['backwards', withHeader({ x: tensor(8, 4, [1]) }, 8), /cannot fill/],
    ['wrong product', withHeader({ x: tensor(0, 8, [3]) }, 8), /cannot fill the bytes 0 to 8/],
    ['product overflows to zero in 64 bits', withHeader({ x: tensor(0, 0, [2 ** 32, 2 ** 32]) }, 0), /cannot fill/],
    ['astronomical product', withHeader({ x: tensor(0, 0, Array(1e5).fill(2 ** 53 - 1)) }, 0), /an array of 100000/],
    ['hole', withHeader({ x: tensor(0, 4), y: tensor(8, 12) }, 12), /"y" leaves a hole/],
    ['hole at the start', withHeader({ x: tensor(4, 8) }, 8), /"x" leaves a hole/],
    ['overlap', withHeader({ x: tensor(0, 8), y: tensor(4, 12) }, 12), /"y" overlaps/],
    ['same bytes', withHeader({ x: tensor(0, 8), y: tensor(0, 8) }, 8), /overlaps/],
    ['beyond the end', withHeader({ x: tensor(0, 8) }, 4), /ends beyond the file/],
    ['rest behind', withHeader({ x: tensor(0, 8) }, 12), /4 bytes behind the last tensor/],
    ['empty name', withHeader({ '': tensor(0, 4) }, 4), /is empty/],
    ['prototype', withHeader('{"__proto__":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}', 4), /reserved/],
    ['control character', withHeader({ 'a\u0000': tensor(0, 4) }, 4), /control character/],
    ['lone surrogate', withHeader('{"\\ud800":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}', 4), /Unicode/],
  ])('%s', (_, bytes, reason) => {
    expect(outcome(bytes)).toMatch(reason);
  });

  test('what looks odd but is allowed', () => {
    expect(outcome(withHeader('{}', 0))).toBe('valid');
    expect(outcome(withHeader('{}      ', 0))).toBe('valid');
    expect(outcome(withHeader({ x: tensor(0, 0, [0, 2 ** 53 - 1]), y: tensor(0, 4), z: tensor(4, 4) }, 4))).toBe(
      'valid',
    );
    expect(outcome(withHeader({ x: tensor(0, 3, [6], 'F4') }, 3))).toBe('valid');
    expect(outcome(withHeader({ '"}{:\\"': tensor(0, 4), __metadata__: { x: '{"x":1,"x":2}' } }, 4))).toBe('valid');
  });
});

fuzz('.safetensors', [await valid], async (bytes) => {
  const length = parseHeaderLength(bytes.subarray(0, 8), bytes.length);
  const { entries } = parseHeader(bytes.subarray(8, 8 + length), bytes.length);
  let total = 0;
  for (const [name, { dtype, position, byteLength }] of entries) {
    const range = { type: dtype, position, count: (byteLength * 8) / BITS[dtype] };
    total += (await readElements(new MemorySource(bytes), range, name)).byteLength;
  }
  return total;
});

test(`${runs} headers of arbitrary claims: valid or ERR_FORMAT, nothing else`, { timeout: limit }, () => {
  const number = fc.oneof(fc.nat(40), fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e308, -1, 0.5));
  const entry = fc.oneof(
    fc.record({
      dtype: fc.oneof(fc.constantFrom('F32', 'I32', 'F64', 'BOOL', 'F4', 'F6_E2M3'), fc.string()),
      shape: fc.array(number, { maxLength: 4 }),
      data_offsets: fc.array(number, { minLength: 1, maxLength: 3 }),
    }),
    fc.jsonValue(),
  );
  const header = fc.oneof(fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('a', '__metadata__')), entry), fc.json());
  fc.assert(
    fc.property(header, fc.nat(64), (claims, dataBytes) => {
      outcome(withHeader(claims, dataBytes));
    }),
    { numRuns: runs },
  );
});

test('damaged files on disk: every accepted tensor can be read, memory stays bounded', async () => {
  const bytes = await valid;
  const before = process.memoryUsage().arrayBuffers;
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(7), async (position, bit) => {
      const damaged = Buffer.from(bytes);
      damaged[position] = (damaged[position] as number) ^ (1 << bit);
      await writeFile(path('damaged'), damaged);
      try {
        const file = await openSafetensors(path('damaged'));
        for (const name of file.entries.keys()) {
          await file.read(name).catch((error: CudnnGruError) => expect(error.code).toBe('ERR_UNSUPPORTED'));
        }
        await file.close();
      } catch (error) {
        expect(error).toBeInstanceOf(CudnnGruError);
        expect((error as CudnnGruError).code).toBe('ERR_FORMAT');
      }
    }),
    { numRuns: 200 },
  );
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6);
});
