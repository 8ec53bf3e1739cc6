import { expect, test } from 'vitest';
import { CudnnGruError } from '../../lib/errors.js';
import { fc } from '../fast_check.js';

// Inputs for each parser: 2,000 in the usual tests, 100,000 by `npm run fuzz`.
export const runs = Number(process.env.CUDNN_GRU_FUZZ_RUNS ?? 2000);
export const limit = 60_000 * Math.max(1, runs / 2000); // ms

/** Milliseconds of computing by this process: a clock that other work on the machine does not turn. */
export function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Reads a whole file from memory and gives back how many bytes the result has. */
export type Parse = (bytes: Buffer) => Promise<number>;

/** 'read', or why the parser refused: anything but a clear error within its time and bounded memory fails the test. */
export async function outcome(parse: Parse, bytes: Buffer, seconds = 1): Promise<string> {
  const begin = cpuMilliseconds();
  let text = 'read';
  try {
    expect(await parse(bytes)).toBeLessThanOrEqual(2 * bytes.length + (64 << 20));
  } catch (error) {
    if (!(error instanceof CudnnGruError) || !['ERR_FORMAT', 'ERR_UNSUPPORTED'].includes(error.code)) throw error;
    text = error.message;
  }
  expect(cpuMilliseconds() - begin).toBeLessThan(1000 * seconds);
  return text;
}

// Numbers that break sums and products of sizes.
const numbers = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

const damage = fc.record({
  file: fc.nat(),
  flips: fc.array(fc.tuple(fc.nat(), fc.nat(7)), { maxLength: 6 }),
  writes: fc.array(fc.tuple(fc.nat(), fc.constantFrom(...numbers), fc.constantFrom(1, 2, 4)), { maxLength: 3 }),
  keep: fc.option(fc.nat(), { freq: 4 }),
  copy: fc.option(fc.tuple(fc.nat(), fc.nat(), fc.nat(64)), { freq: 4 }),
  extra: fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ maxLength: 16 })),
});

/**
 * The fuzz tests of one parser: every file of the corpus truncated at every byte, and thousands of damaged ones, with bits flipped, sizes
 * replaced, pieces repeated, ends cut or grown.
 *
 * @param corpus valid files, small ones
 * @param seconds that one input may take
 */
export function fuzz(name: string, corpus: readonly Buffer[], parse: Parse, seconds = 1): void {
  const timeout = limit + 10_000 * seconds;
  test(`${name}: valid as they are, refused when truncated at any byte`, { timeout }, async () => {
    for (const bytes of corpus) {
      expect(await outcome(parse, bytes, seconds)).toBe('read');
      for (let length = 0; length < bytes.length; length++) {
        expect(await outcome(parse, bytes.subarray(0, length), seconds), `${length} bytes`).not.toBe('read');
      }
    }
  });

  test(`${name}: ${runs} damaged files are read or refused, nothing else`, { timeout }, async () => {
    let refused = 0;
    const property = fc.asyncProperty(damage, async ({ file, flips, writes, keep, copy, extra }) => {
      const valid = corpus[file % corpus.length] as Buffer;
      const bytes = Buffer.concat([valid.subarray(0, keep === null ? valid.length : keep % valid.length), extra]);
      if (bytes.length === 0) return;
      for (const [position, value, size] of writes) {
        if (bytes.length >= size)
          bytes.writeUIntLE(value % 2 ** (8 * size), position % (bytes.length - size + 1), size);
      }
      for (const [position, bit] of flips) {
        const at = position % bytes.length;
        bytes[at] = (bytes[at] as number) ^ (1 << bit);
      }
      if (copy) {
        const [from, to, length] = copy;
        bytes.copy(
          bytes,
          to % bytes.length,
          from % bytes.length,
          Math.min(bytes.length, (from % bytes.length) + length),
        );
      }
      if ((await outcome(parse, bytes, seconds)) !== 'read') refused += 1;
    });
    await fc.assert(property, { numRuns: runs });
    expect(refused).toBeGreaterThan(runs / 10);
  });
}
